/** Says why a port could not be opened in words of the configuration, so that whoever wrote that knows what to change. */

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: "another program listens there; end it, or choose another port",
  EACCES: "this user may not open that port; choose one above 1023",
  EADDRNOTAVAIL: "this machine has no such address; use one of its own, or 0.0.0.0 for all",
  ENOTFOUND: "this host name is unknown; use an IP address",
};

/** Rejects with an error that names the setting when `listen` fails. `setting`: as in the file, such as `listen.data`. */
export const listening = async <T>(
  setting: string,
  { host, port }: { host: string; port: number },
  listen: (host: string, port: number) => Promise<T>,
): Promise<T> => {
  try {
    return await listen(host, port);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    const reason = reasons[code] ?? String(error);
    throw new Error(`${setting}: can't listen on ${host}:${port}: ${reason}`, { cause: error });
  }
};
