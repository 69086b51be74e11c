/** Each Lua script's header against its body and against `scripts`. */
import { scripts } from '../../../src/cache/scripts.js';
import { checkHeaders } from '../lua-header.js';

checkHeaders(new URL('../../../src/cache/', import.meta.url), scripts);
