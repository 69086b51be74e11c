/** Where Redis is and how it is reached: from a URL, or from variables such as `REDIS_HOST`. */
import { readFileSync } from 'node:fs';
import { ForebayError } from './errors.js';
import { asText, matching, oneOf, type Variables, Wrong, whole } from './variables.js';

/** A host and its port. */
export interface Address {
  /** A name or an address. */
  readonly host: string;
  /** Its TCP port. */
  readonly port: number;
}

/** PEM texts. */
export interface TlsSettings {
  /** Of the authority that has signed the server's certificate. Default: those that Node trusts. */
  readonly ca?: string;
  /** The client's own certificate and key, for servers that ask for one. */
  readonly cert?: string;
  /** The certificate's key. */
  readonly key?: string;
  /** The name that the server's certificate must have. Default: the host. */
  readonly servername?: string;
}

/** What every way to Redis needs. */
interface Access {
  /** The database's number; 0 in a cluster. */
  readonly db: number;
  /** Of Redis's access control. Default: its default user. */
  readonly username?: string;
  /** That user's password. Default: none. */
  readonly password?: string;
  /** TLS, as with a `rediss://` URL. */
  readonly tls: boolean | TlsSettings;
}

/** A single server. */
export interface ServerSettings extends Access, Address {}

/**
 * A server that sentinels know; they name another when it fails. With TLS, the sentinels are reached by TLS
 * too.
 */
export interface SentinelSettings extends Access {
  /** Some of the sentinels; they tell of the others. */
  readonly sentinels: readonly Address[];
  /** What the sentinels call the server, e.g. `mymaster`. */
  readonly name: string;
  /** For the sentinels themselves. Default: none. */
  readonly sentinelUsername?: string;
  /** For the sentinels themselves. Default: none. */
  readonly sentinelPassword?: string;
}

/** A cluster. */
export interface ClusterSettings extends Access {
  /** Some of its nodes; they tell of the others. */
  readonly nodes: readonly Address[];
}

/** Where Redis is: a server, one behind sentinels, or a cluster. */
export type RedisSettings = ServerSettings | SentinelSettings | ClusterSettings;

/**
 * Settings from a URL such as `rediss://user:password@host:6379/0`.
 * @throws ForebayError INVALID_CONFIG, which does not quote it: it may have a password
 */
export function redisSettings(url: string): ServerSettings {
  if (!isRedisUrl(url))
    throw new ForebayError('INVALID_CONFIG', `What is given as a URL of Redis ${urlRule}.`);
  const { hostname, port, username, password, pathname, protocol } = new URL(url);
  return {
    host: hostname.replace(/^\[|\]$/g, '') || 'localhost',
    port: port === '' ? portDefault : Number(port),
    db: Number(pathname.slice(1) || 0),
    ...(username === '' ? {} : { username: decodeURIComponent(username) }),
    ...(password === '' ? {} : { password: decodeURIComponent(password) }),
    tls: protocol === 'rediss:',
  };
}

/** A Redis in words, without its password. */
export function placeOf(settings: RedisSettings): string {
  const list = addressesOf(settings)
    .map(({ host, port }) => `${host}:${port}`)
    .join(', ');
  if ('nodes' in settings) return `The Redis cluster of ${list}`;
  return 'sentinels' in settings ? `Redis "${settings.name}" of the sentinels ${list}` : `Redis at ${list}`;
}

/** Where the first connections go. */
export function addressesOf(settings: RedisSettings): readonly Address[] {
  if ('nodes' in settings) return settings.nodes;
  return 'sentinels' in settings ? settings.sentinels : [settings];
}

const portDefault = 6_379;
const portOf = whole(1, 65_535);
const addressList = matching(
  /^(\[[^\]\s]+\]|[^:,\s]+):\d{1,5}(,\s*(\[[^\]\s]+\]|[^:,\s]+):\d{1,5})*$/,
  'must be a list such as host:port,host:port',
);
const yesOrNo = oneOf('true', 'false', '1', '0');

/** What the variables say, each by the rest of its name. */
function readValues(variables: Variables, prefix: string) {
  const read = <Value>(name: string, parse: (text: string) => Value): Value | undefined =>
    variables.read(`${prefix}${name}`, parse);
  return {
    URL: read('URL', toRedisUrl),
    HOST: read('HOST', asText),
    PORT: read('PORT', portOf),
    USERNAME: read('USERNAME', asText),
    PASSWORD: read('PASSWORD', asText),
    DB: read('DB', whole(0, 1_000)) ?? 0,
    TLS: ['true', '1'].includes(read('TLS', yesOrNo) ?? 'false'),
    TLS_CA: read('TLS_CA', toPem),
    TLS_CERT: read('TLS_CERT', toPem),
    TLS_KEY: read('TLS_KEY', toPem),
    TLS_SERVERNAME: read('TLS_SERVERNAME', asText),
    SENTINELS: read('SENTINELS', toAddresses),
    SENTINEL_NAME: read('SENTINEL_NAME', asText),
    SENTINEL_USERNAME: read('SENTINEL_USERNAME', asText),
    SENTINEL_PASSWORD: read('SENTINEL_PASSWORD', asText),
    CLUSTER_NODES: read('CLUSTER_NODES', toAddresses),
  };
}

type Values = ReturnType<typeof readValues>;

/** Reads the variables that begin with `prefix`, e.g. `REDIS_`; tells `variables` what contradicts itself. */
export function readRedisSettings(variables: Variables, prefix: string): RedisSettings {
  const values = readValues(variables, prefix);
  if (!variables.hasWrong(prefix)) {
    for (const { variable, message } of contradictions(values, prefix)) {
      variables.refuse(`${prefix}${variable}`, message);
    }
  }
  return toSettings(values);
}

interface Contradiction {
  readonly is: unknown;
  readonly variable: keyof Values;
  readonly message: string;
}

function contradictions(values: Values, prefix: string): Contradiction[] {
  return [...placeContradictions(values, prefix), ...tlsContradictions(values, prefix)].filter(
    ({ is }) => is,
  );
}

function placeContradictions(values: Values, prefix: string): Contradiction[] {
  const { URL, HOST, PORT, DB, SENTINELS, CLUSTER_NODES } = values;
  const ofSentinel = values.SENTINEL_NAME ?? values.SENTINEL_USERNAME ?? values.SENTINEL_PASSWORD;
  const many = SENTINELS ? `${prefix}SENTINELS` : CLUSTER_NODES && `${prefix}CLUSTER_NODES`;
  const instead = `excludes ${many}. Unset one of them`;
  return [
    {
      is: SENTINELS && CLUSTER_NODES,
      variable: 'CLUSTER_NODES',
      message: `${instead}: a cluster has no sentinels`,
    },
    {
      is: URL && many,
      variable: 'URL',
      message: `${instead}; user, password and TLS have variables of their own`,
    },
    { is: HOST && many, variable: 'HOST', message: instead },
    { is: PORT && many, variable: 'PORT', message: instead },
    { is: DB > 0 && CLUSTER_NODES, variable: 'DB', message: 'must be 0: a cluster has no other' },
    {
      is: SENTINELS && !values.SENTINEL_NAME,
      variable: 'SENTINEL_NAME',
      message: 'is needed: what the sentinels call the server, e.g. mymaster',
    },
    {
      is: ofSentinel && !SENTINELS,
      variable: 'SENTINELS',
      message: `is needed with the other ${prefix}SENTINEL_ variables: host:port,host:port`,
    },
    {
      is: values.SENTINEL_USERNAME && !values.SENTINEL_PASSWORD,
      variable: 'SENTINEL_PASSWORD',
      message: `is needed with ${prefix}SENTINEL_USERNAME`,
    },
  ];
}

function tlsContradictions(values: Values, prefix: string): Contradiction[] {
  const { URL, TLS, TLS_CERT, TLS_KEY } = values;
  const isTls = URL === undefined ? TLS : redisSettings(URL).tls;
  return [
    {
      is: !isTls && tlsOptions(values),
      variable: URL === undefined ? 'TLS' : 'URL',
      message: `${URL === undefined ? 'must be true' : 'must begin with rediss://'} with the ${prefix}TLS_ variables`,
    },
    { is: TLS && !isTls, variable: 'URL', message: `must begin with rediss:// where ${prefix}TLS is true` },
    { is: TLS_CERT && !TLS_KEY, variable: 'TLS_KEY', message: `is needed with ${prefix}TLS_CERT` },
    { is: TLS_KEY && !TLS_CERT, variable: 'TLS_CERT', message: `is needed with ${prefix}TLS_KEY` },
  ];
}

function toSettings(values: Values): RedisSettings {
  const tls = tlsOptions(values);
  if (values.URL !== undefined) return { ...redisSettings(values.URL), ...(tls && { tls }) };
  const access: Access = {
    db: values.DB,
    ...(values.USERNAME === undefined ? {} : { username: values.USERNAME }),
    ...(values.PASSWORD === undefined ? {} : { password: values.PASSWORD }),
    tls: tls ?? values.TLS,
  };
  if (values.CLUSTER_NODES) return { nodes: values.CLUSTER_NODES, ...access };
  if (values.SENTINELS) return { ...sentinelsOf(values, values.SENTINELS), ...access };
  return { host: values.HOST ?? 'localhost', port: values.PORT ?? portDefault, ...access };
}

function sentinelsOf(values: Values, sentinels: readonly Address[]): Omit<SentinelSettings, keyof Access> {
  const { SENTINEL_NAME: name, SENTINEL_USERNAME: username, SENTINEL_PASSWORD: password } = values;
  return {
    sentinels,
    name: name ?? '',
    ...(username === undefined ? {} : { sentinelUsername: username }),
    ...(password === undefined ? {} : { sentinelPassword: password }),
  };
}

/** Undefined when none is set. */
function tlsOptions(values: Values): TlsSettings | undefined {
  const { TLS_CA: ca, TLS_CERT: cert, TLS_KEY: key, TLS_SERVERNAME: servername } = values;
  const given = Object.entries({ ca, cert, key, servername }).filter(([, value]) => value !== undefined);
  return given.length === 0 ? undefined : (Object.fromEntries(given) as TlsSettings);
}

const urlRule = 'must be a URL such as redis://host:6379/0 or rediss://…';

function toRedisUrl(url: string): string {
  if (isRedisUrl(url)) return url;
  throw new Wrong(urlRule);
}

function isRedisUrl(url: string): boolean {
  try {
    const { protocol, pathname, username, password } = new URL(url);
    decodeURIComponent(username + password);
    return /^rediss?:$/.test(protocol) && /^(\/\d{0,4})?$/.test(pathname);
  } catch {
    return false; // neither a URL nor decodable
  }
}

function toAddresses(list: string): Address[] {
  return addressList(list).split(',').map(toAddress);
}

function toAddress(hostAndPort: string): Address {
  const colon = hostAndPort.lastIndexOf(':');
  return {
    host: hostAndPort
      .slice(0, colon)
      .trim()
      .replace(/^\[|\]$/g, ''),
    port: Number(hostAndPort.slice(colon + 1)),
  };
}

function toPem(given: string): string {
  if (given.includes('-----BEGIN ')) return given;
  try {
    return readFileSync(given, 'utf8');
  } catch {
    throw new Wrong('must be a PEM text, or the path of a file that can be read');
  }
}
