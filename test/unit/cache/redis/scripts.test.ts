/** Each Lua script's header against its body and against `scripts`. */
import { cacheScripts } from '../../../../src/cache/redis/scripts.js';
import { checkHeaders, checkPrelude } from '../../lua-header.js';

checkHeaders(cacheScripts);
checkPrelude(new URL('prelude.lua', cacheScripts.folder), [cacheScripts]);
