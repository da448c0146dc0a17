/**
 * Leads a program's connections to `*.googleapis.com` to a stand-in on this machine, and leaves all
 * else as it is: the real clients, TLS and sign-in, as without emulator variables.
 *
 * Preload it: `node --import <this file> program.js`, with `STAND_IN_GOOGLE=<port>`.
 */
import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';

const port = Number(process.env.STAND_IN_GOOGLE);
/** Of a network that is nowhere (RFC 5737). */
const ADDRESS = '192.0.2.1';
const isGoogle = (host) => /(^|\.)googleapis\.com$/.test(host ?? '');

const { lookup } = dns;
dns.lookup = (host, ...rest) => {
  if (!isGoogle(host)) return lookup(host, ...rest);
  const [options, done] = rest.length > 1 ? rest : [{}, rest[0]];
  if (options.all) done(null, [{ address: ADDRESS, family: 4 }]);
  else done(null, ADDRESS, 4);
};
const { lookup: lookupPromise } = dns.promises;
dns.promises.lookup = async (host, options = {}) => {
  if (!isGoogle(host)) return lookupPromise(host, options);
  const found = { address: ADDRESS, family: 4 };
  return options.all ? [found] : found;
};

const { connect } = net.Socket.prototype;
net.Socket.prototype.connect = function directed(...args) {
  // Within Node the arguments come as one list.
  const given = Array.isArray(args[0]) ? args[0][0] : args[0];
  if (typeof given === 'object' && (isGoogle(given.host) || given.host === ADDRESS)) {
    Object.assign(given, { host: '127.0.0.1', port });
  }
  return connect.apply(this, args);
};
syncBuiltinESMExports();
