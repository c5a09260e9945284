/**
 * Names exchanges, on answers and in what observers are told. An id is unique, not secret: nothing is ever allowed
 * because somebody knows one. It comes without a call for random bytes each time, which costs more than all the
 * rest of it.
 */
import { randomBytes } from "node:crypto";

/** Odd, so that multiplying by it modulo 2^32 gives no number twice; large, so that ids don't show how many there were. */
const stride = 0x9e3779b1;

/** 16 random digits that tell processes apart, and 8 that tell a process's exchanges apart. */
export const createExchangeIds = (): (() => string) => {
  let prefix = randomBytes(8).toString("hex");
  let count = 0;
  return () => {
    count = (count + 1) >>> 0;
    if (count === 0) prefix = randomBytes(8).toString("hex");
    return prefix + (Math.imul(count, stride) >>> 0).toString(16).padStart(8, "0");
  };
};
