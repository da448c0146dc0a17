// Preloaded: whoever reaches for the network is written to NETWORK_FILE and gets an error.
import dgram from 'node:dgram';
import dns from 'node:dns';
import { appendFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';

function refuse(owner, method, name) {
  owner[method] = () => {
    appendFileSync(process.env.NETWORK_FILE, `${name}\n`);
    throw new Error(`the network is closed: ${name}`);
  };
}

// TCP, TLS, HTTP and fetch all end here; so do local sockets and pipes.
refuse(net.Socket.prototype, 'connect', 'connect');
refuse(net.Server.prototype, 'listen', 'listen');
for (const method of ['bind', 'connect', 'send']) {
  refuse(dgram.Socket.prototype, method, `udp ${method}`);
}
for (const api of [dns, dns.promises, dns.Resolver.prototype, dns.promises.Resolver.prototype]) {
  for (const method of Object.getOwnPropertyNames(api)) {
    if (/^(lookup|resolve|reverse)/.test(method)) refuse(api, method, `dns ${method}`);
  }
}
syncBuiltinESMExports();
