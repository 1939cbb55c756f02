/** Where a platform can't do as a browser does: why, and what a case then says. */
interface Limit {
  readonly reason: string;
  readonly shows: RegExp;
}

const unclean: Limit = {
  reason: "React Native sends 1000 where no code is given, and does not tell whether a close was clean.",
  shows: /^\{"event":\[1000,"",false\],"server":\[1000,""\]\} is not/,
};

const native: Limit = {
  reason: "React Native looks at neither address nor subprotocols before it connects: a wrong one is an attempt that fails.",
  shows: /^("nothing" is not "SyntaxError"|the event close did not come)$/,
};

export const limits: Readonly<Record<string, Readonly<Record<string, Limit>>>> = {
  "an address that no WebSocket takes": { "react-native": native },
  "one that returns no address is the end": { "react-native": native },
  "close() of an open socket, without arguments": { "react-native": unclean },
  "close() with undefined, and with a reason alone": { "react-native": unclean },
  "close() with a code and a reason": { "react-native": unclean },
  "comes back after 1014": {
    deno: {
      reason: "Deno takes a close frame with 1014 for a violation of the protocol.",
      shows: /\["disconnect",1006\]/,
    },
  },
};
