// Names to addresses: lab names go to loopback, no other name can be reached, so that no test leaves the machine.
import tls from "node:tls";

const routes = new Map();

/** Sends the authority `name:port` to another port of this machine; lets a lab server be known by a bare name. */
export function route(authority, port) {
  const [name, public_port] = authority.toLowerCase().split(":");
  routes.set(`${name}:${public_port ?? 443}`, Number(port));
}

function place(host, port) {
  const name = String(host).toLowerCase();
  // RFC 6761, section 6.2: `.test` belongs to nobody.
  if (!name.endsWith(".test")) {
    const error = new Error(`${name} is not a name of this lab`);
    throw Object.assign(error, { code: "ENOTFOUND", hostname: name });
  }
  return { host: "127.0.0.1", port: routes.get(`${name}:${port}`) ?? port };
}

/** Must run before the first request. Node's own fetch connects by `tls.connect`; certificates are checked as ever. */
export function install() {
  const connect = tls.connect;
  tls.connect = function (options, ...rest) {
    if (typeof options !== "object" || options.socket) return connect.call(this, options, ...rest);
    const servername = options.servername || options.host;
    return connect.call(this, { ...options, servername, ...place(options.host, options.port ?? 443) }, ...rest);
  };
}
