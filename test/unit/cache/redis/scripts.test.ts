/** Each Lua script's header against its body and against `scripts`. */
import { scripts } from '../../../../src/cache/redis/scripts.js';
import { checkHeaders } from '../../lua-header.js';

checkHeaders(new URL('../../../../src/cache/redis/', import.meta.url), scripts);
