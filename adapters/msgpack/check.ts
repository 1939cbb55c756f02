/** Checks that bytes are exactly one MessagePack value, of the kinds that a frame may contain, without allocating what its headers claim. */
import { badFrame, maxDepth } from "../../src/messages/frame.ts";

/** The type of the timestamp extension: -1, as a byte. */
const timestamp = 0xff;

const poison = new TextEncoder().encode("__proto__");

/** @throws MessageError `bad-frame`; RangeError if the bytes end too early. */
export function checkBytes(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (valueAt(0, 1) !== bytes.length) throw badFrame("not exactly one MessagePack value");

  /** Returns where the value ends. */
  function valueAt(at: number, depth: number): number {
    const kind = view.getUint8(at);
    if (kind < 0x80 || kind >= 0xe0) return at + 1;
    if (kind < 0x90) return itemsAt(at + 1, kind & 0x0f, true, depth);
    if (kind < 0xa0) return itemsAt(at + 1, kind & 0x0f, false, depth);
    if (kind < 0xc0) return at + 1 + (kind & 0x1f);
    switch (kind) {
      case 0xc0: // nil
      case 0xc2: // false
      case 0xc3: // true
        return at + 1;
      case 0xcc: // uint 8
      case 0xd0: // int 8
        return at + 2;
      case 0xcd: // uint 16
      case 0xd1: // int 16
        return at + 3;
      case 0xca: // float 32
      case 0xce: // uint 32
      case 0xd2: // int 32
        return at + 5;
      case 0xcb: // float 64
      case 0xcf: // uint 64
      case 0xd3: // int 64
        return at + 9;
      case 0xc4: // bin 8
      case 0xd9: // str 8
        return at + 2 + view.getUint8(at + 1);
      case 0xc5: // bin 16
      case 0xda: // str 16
        return at + 3 + view.getUint16(at + 1);
      case 0xc6: // bin 32
      case 0xdb: // str 32
        return at + 5 + view.getUint32(at + 1);
      case 0xdc: // array 16
        return itemsAt(at + 3, view.getUint16(at + 1), false, depth);
      case 0xdd: // array 32
        return itemsAt(at + 5, view.getUint32(at + 1), false, depth);
      case 0xde: // map 16
        return itemsAt(at + 3, view.getUint16(at + 1), true, depth);
      case 0xdf: // map 32
        return itemsAt(at + 5, view.getUint32(at + 1), true, depth);
      case 0xd6: // fixext 4
        return timestampAt(at + 1, 4);
      case 0xd7: // fixext 8
        return timestampAt(at + 1, 8);
      case 0xc7: // ext 8
        if (view.getUint8(at + 1) === 12) return timestampAt(at + 2, 12);
    }
    throw badFrame(`the MessagePack kind 0x${kind.toString(16)} is not allowed`);
  }

  function itemsAt(start: number, count: number, map: boolean, depth: number): number {
    if (depth > maxDepth) throw badFrame(`more than ${maxDepth} levels of arrays and objects`);
    let at = start;
    for (let item = 0; item < count; item++) {
      if (map) at = keyAt(at);
      at = valueAt(at, depth + 1);
    }
    return at;
  }

  function keyAt(at: number): number {
    const kind = view.getUint8(at);
    const head = kind >= 0xa0 && kind < 0xc0 ? 1 : ({ 0xd9: 2, 0xda: 3, 0xdb: 5 } as Record<number, number>)[kind];
    if (head === undefined) throw badFrame("a key that is not a string");
    const end = valueAt(at, 1);
    // msgpackr would rename it.
    if (end - at - head === poison.length && poison.every((byte, index) => bytes[at + head + index] === byte)) {
      throw badFrame("the key __proto__ is not allowed");
    }
    return end;
  }

  function timestampAt(at: number, size: number): number {
    if (view.getUint8(at) !== timestamp) throw badFrame("a MessagePack extension other than timestamp is not allowed");
    return at + 1 + size;
  }
}
