import { PeiliError } from '../../core/index.ts';

/**
 * The protobuf wire format (protobuf.dev, "Encoding"), as much of it as small messages need: varints, and lengths with bytes.
 * Fields that a reader does not know are skipped, so a newer version may add some.
 */
export interface WireWriter {
  /** An integer from 0 to 2^53 - 1. */
  varint(field: number, value: number): WireWriter;
  bytes(field: number, value: Uint8Array): WireWriter;
  text(field: number, value: string): WireWriter;
  finish(): Uint8Array;
}

export type WireValue = number | Uint8Array;

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const wireTypeVarint = 0;
const wireTypeFixed64 = 1;
const wireTypeBytes = 2;
const wireTypeFixed32 = 5;
const varintBytesMax = 10;

export function invalidMessage(what: string): PeiliError {
  return new PeiliError('RECORDS_INVALID', `a message could not be read: ${what}`);
}

export function createWireWriter(capacityBytes = 256): WireWriter {
  let buffer = new Uint8Array(capacityBytes);
  let length = 0;
  const reserve = (extra: number): void => {
    if (length + extra <= buffer.byteLength) return;
    const grown = new Uint8Array(Math.max(buffer.byteLength * 2, length + extra));
    grown.set(buffer.subarray(0, length));
    buffer = grown;
  };
  const put = (value: number): void => {
    reserve(varintBytesMax);
    length = writeVarint(buffer, length, value);
  };
  const writer: WireWriter = {
    varint: (field, value) => {
      put(field * 8 + wireTypeVarint);
      put(value);
      return writer;
    },
    bytes: (field, value) => {
      put(field * 8 + wireTypeBytes);
      put(value.byteLength);
      reserve(value.byteLength);
      buffer.set(value, length);
      length += value.byteLength;
      return writer;
    },
    text: (field, value) => writer.bytes(field, encoder.encode(value)),
    finish: () => buffer.subarray(0, length),
  };
  return writer;
}

/** Calls back for each field in order. Throws `RECORDS_INVALID`. Byte values are views of the message. */
export function readFields(message: Uint8Array, visit: (field: number, value: WireValue) => void): void {
  let at = 0;
  while (at < message.byteLength) {
    const tag = readVarint(message, at);
    const field = Math.floor(tag.value / 8);
    const wireType = tag.value % 8;
    at = tag.end;
    if (field === 0) throw invalidMessage('field number 0');
    if (wireType === wireTypeVarint) {
      const { value, end } = readVarint(message, at);
      at = end;
      visit(field, value);
    } else if (wireType === wireTypeBytes) {
      const { value: size, end: start } = readVarint(message, at);
      at = start + size;
      if (at > message.byteLength) throw invalidMessage('a field is longer than its message');
      visit(field, message.subarray(start, at));
    } else {
      at += skipBytes(wireType);
      if (at > message.byteLength) throw invalidMessage('a field is longer than its message');
    }
  }
}

export function asNumber(value: WireValue): number {
  if (typeof value !== 'number') throw invalidMessage('bytes where a number belongs');
  return value;
}

export function asBytes(value: WireValue): Uint8Array {
  if (typeof value === 'number') throw invalidMessage('a number where bytes belong');
  return value;
}

/** UTF-8 text of at most `maxBytes`. */
export function asText(value: WireValue, maxBytes: number): string {
  const bytes = asBytes(value);
  if (bytes.byteLength > maxBytes) throw invalidMessage(`text longer than ${maxBytes} bytes`);
  return decoder.decode(bytes);
}

export function asPort(value: number): number {
  if (value > 65_535) throw invalidMessage('a port above 65535');
  return value;
}

export function asCount(value: number): number {
  if (!Number.isSafeInteger(value)) throw invalidMessage('a number above 2^53');
  return value;
}

/** Writes `value` at `at` and returns the end; the buffer has room. */
export function writeVarint(buffer: Uint8Array, at: number, value: number): number {
  while (value >= 0x80) {
    buffer[at] = (value % 0x80) + 0x80;
    value = Math.floor(value / 0x80);
    at += 1;
  }
  buffer[at] = value;
  return at + 1;
}

/**
 * Reads an unsigned varint. Throws `RECORDS_INVALID` when it is cut or longer than ten bytes.
 * A value that no double holds exactly (a negative int32 of somebody else's field) comes out rounded.
 */
export function readVarint(bytes: Uint8Array, start: number): { readonly value: number; readonly end: number } {
  let value = 0;
  let factor = 1;
  for (let at = start; at < start + varintBytesMax; at += 1) {
    const byte = bytes[at];
    if (byte === undefined) throw invalidMessage('it is cut');
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return { value, end: at + 1 };
    factor *= 0x80;
  }
  throw invalidMessage('a varint longer than ten bytes');
}

function skipBytes(wireType: number): number {
  if (wireType === wireTypeFixed64) return 8;
  if (wireType === wireTypeFixed32) return 4;
  throw invalidMessage(`wire type ${wireType}`);
}
