/** What could be better about the way to a Redis. */
import { environment, type Finding, redisCli } from '../../connection/finding.js';
import { addressesOf, type RedisSettings } from '../../redis-settings.js';

const loopback = /^(localhost|127\.\d+\.\d+\.\d+|::1)$/;

export const accessCodes = [
  {
    code: 'REDIS_UNENCRYPTED',
    severity: 'warning',
    about: 'The connection leaves this machine without TLS.',
  },
  {
    code: 'REDIS_NO_PASSWORD',
    severity: 'warning',
    about: 'The server is on another machine, and asks for no password.',
  },
] as const;

/** @param variables `REDIS_` or `QUEUE_REDIS_` */
export function accessFindings(settings: RedisSettings, variables = 'REDIS_'): Finding[] {
  if (addressesOf(settings).every(({ host }) => loopback.test(host))) return [];
  const findings: Finding[] = [];
  if (settings.tls === false) {
    findings.push({
      code: 'REDIS_UNENCRYPTED',
      severity: 'warning',
      what: 'The connection is not encrypted, and leaves this machine',
      consequence: 'whoever is on the way reads and changes it. Fine in a network that is private.',
      mend: environment(`${variables}TLS=true`),
    });
  }
  if (settings.password === undefined) {
    findings.push({
      code: 'REDIS_NO_PASSWORD',
      severity: 'warning',
      what: 'There is no password, and the server is not on this machine',
      consequence: `whoever reaches its port can do anything. Set ${variables}PASSWORD too.`,
      mend: redisCli('CONFIG SET requirepass PASSWORD'),
    });
  }
  return findings;
}
