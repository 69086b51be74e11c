/** Each Lua script's header against its body and against `scripts`. */
import { cacheScripts } from '../../../../src/cache/redis/scripts.js';
import { checkHeaders } from '../../lua-header.js';

checkHeaders(cacheScripts);
