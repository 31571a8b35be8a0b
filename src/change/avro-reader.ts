import { AvroFault, AvroInput } from './avro-input.ts';
import {
  AVRO_ARRAY, AVRO_BOOLEAN, AVRO_BYTES, AVRO_DECIMAL_BYTES, AVRO_DECIMAL_FIXED, AVRO_DOUBLE, AVRO_ENUM, AVRO_FIXED, AVRO_FLOAT, AVRO_INTEGER, AVRO_MAP, AVRO_NULL, AVRO_RECORD, AVRO_STRING,
  AVRO_UNION,
} from './avro-plan.ts';
import type { AvroNode } from './avro-plan.ts';
import { AvroText, floatText } from './avro-text.ts';
import { isUtf8 } from './json-scan.ts';
import { NAME_UNKNOWN } from './names.ts';
import { DEPTH_MAX } from './tape.ts';
import { TOKEN_ARRAY, TOKEN_FALSE, TOKEN_NULL, TOKEN_NUMBER, TOKEN_OBJECT, TOKEN_STRING, TOKEN_TRUE } from './token.ts';
import type { Tape } from './tape.ts';

/** Values that take no bytes (null, a record without fields) could be without number: this many more than there are bytes, and no more. */
const FREE_VALUES_MAX = 65_536;

/** Text that is not UTF-8. */
export class AvroTextFault extends Error {}

/**
 * Reads Avro values onto a tape, as the same value would stand there had it come as JSON: records are objects, numbers and decimals are text, bytes are base64. The texts lie in the reader's own memory until it
 * reads the next value, so a tape that must last while another is read has a reader to itself. Members whose names nobody
 * asks for are stepped over and stand there as null; what is in arrays and maps is stepped over too. Work and memory are bounded by the value's length, whatever the bytes and the schema say.
 */
export class AvroReader {
  readonly #input = new AvroInput();
  readonly #text = new AvroText();
  readonly #tape: Tape;
  #depth = 0;
  #valuesLeft = 0;

  constructor(tape: Tape) {
    this.#tape = tape;
  }

  /** Reads `bytes[start..end)` as one value of that type. Throws an AvroFault when it is none, an AvroTextFault when a text in it is not UTF-8. */
  read(root: AvroNode, bytes: Uint8Array, start: number, end: number): void {
    const tape = this.#tape;
    this.#input.begin(bytes, start, end);
    this.#text.clear();
    this.#depth = 0;
    this.#valuesLeft = end - start + FREE_VALUES_MAX;
    tape.begin(this.#text.bytes);
    this.#read(root, NAME_UNKNOWN);
    if (this.#input.at !== end) throw new AvroFault('bytes are left over behind it');
    tape.bytes = this.#text.bytes;
  }

  #read(given: AvroNode, name: number): void {
    const node = given.kind === AVRO_UNION ? this.#branch(given) : given;
    const input = this.#input;
    const text = this.#text;
    const from = text.length;
    this.#count();
    switch (node.kind) {
      case AVRO_NULL: return void this.#tape.put(TOKEN_NULL, name, from, from);
      case AVRO_BOOLEAN: return void this.#tape.put(this.#boolean() ? TOKEN_TRUE : TOKEN_FALSE, name, from, from);
      case AVRO_INTEGER:
        input.readLong();
        text.addLong(input, 0);
        return this.#putText(TOKEN_NUMBER, name, from);
      case AVRO_FLOAT: return this.#putFloat(input.readFloat(), floatText, name);
      case AVRO_DOUBLE: return this.#putFloat(input.readDouble(), String, name);
      case AVRO_STRING: return this.#putString(input.readCount(), name);
      case AVRO_BYTES: return this.#putBytes(input.readCount(), name);
      case AVRO_FIXED: return this.#putBytes(node.size, name);
      case AVRO_DECIMAL_BYTES: return this.#putDecimal(input.readCount(), node.scale, name);
      case AVRO_DECIMAL_FIXED: return this.#putDecimal(node.size, node.scale, name);
      case AVRO_ENUM: return this.#putSymbol(node, name);
      case AVRO_RECORD: return this.#putRecord(node, name);
      default: {
        const container = this.#tape.put(node.kind === AVRO_ARRAY ? TOKEN_ARRAY : TOKEN_OBJECT, name, from, from);
        this.#skipBlocks(node);
        this.#tape.close(container);
      }
    }
  }

  #putRecord(node: AvroNode, name: number): void {
    const tape = this.#tape;
    const { names, parts } = node;
    const record = tape.put(TOKEN_OBJECT, name, this.#text.length, this.#text.length);
    this.#enter();
    for (let field = 0; field < parts.length; field++) {
      if (names[field] !== NAME_UNKNOWN) this.#read(parts[field], names[field]);
      else {
        this.#skip(parts[field]);
        tape.put(TOKEN_NULL, NAME_UNKNOWN, 0, 0);
      }
    }
    this.#depth--;
    tape.close(record);
  }

  #putText(kind: number, name: number, from: number): void {
    this.#tape.put(kind, name, from, this.#text.length);
  }

  /** What is no number is text, as in JSON that says it at all. */
  #putFloat(value: number, write: (value: number) => string, name: number): void {
    const from = this.#text.length;
    this.#text.addText(write(value));
    this.#putText(Number.isFinite(value) ? TOKEN_NUMBER : TOKEN_STRING, name, from);
  }

  #putString(length: number, name: number): void {
    const start = this.#input.take(length);
    const from = this.#text.length;
    const isAscii = this.#text.addBytes(this.#input.bytes, start, start + length);
    if (!isAscii && !isUtf8(this.#input.bytes, start, start + length)) throw new AvroTextFault();
    this.#putText(TOKEN_STRING, name, from);
  }

  #putBytes(length: number, name: number): void {
    const start = this.#input.take(length);
    const from = this.#text.length;
    this.#text.addBase64(this.#input.bytes, start, start + length);
    this.#putText(TOKEN_STRING, name, from);
  }

  #putDecimal(length: number, scale: number, name: number): void {
    const start = this.#input.take(length);
    const from = this.#text.length;
    this.#text.addDecimal(this.#input.bytes, start, start + length, scale);
    this.#putText(TOKEN_NUMBER, name, from);
  }

  #putSymbol(node: AvroNode, name: number): void {
    const symbol = node.symbols[this.#input.readCount()];
    if (symbol === undefined) throw new AvroFault('an enum in it has a value that the schema does not know');
    const from = this.#text.length;
    this.#text.addBytes(symbol, 0, symbol.length);
    this.#putText(TOKEN_STRING, name, from);
  }

  /** Steps over a value. */
  #skip(given: AvroNode): void {
    const node = given.kind === AVRO_UNION ? this.#branch(given) : given;
    const input = this.#input;
    this.#count();
    switch (node.kind) {
      case AVRO_NULL: return;
      case AVRO_BOOLEAN: return void this.#boolean();
      case AVRO_INTEGER: return input.skipLong();
      case AVRO_FLOAT: return void input.take(4);
      case AVRO_DOUBLE: return void input.take(8);
      case AVRO_STRING:
      case AVRO_BYTES:
      case AVRO_DECIMAL_BYTES: return void input.take(input.readCount());
      case AVRO_FIXED:
      case AVRO_DECIMAL_FIXED: return void input.take(node.size);
      case AVRO_ENUM: return void input.readCount();
      case AVRO_RECORD:
        this.#enter();
        for (let field = 0; field < node.parts.length; field++) this.#skip(node.parts[field]);
        this.#depth--;
        return;
      default: return this.#skipBlocks(node);
    }
  }

  /** Items of an array, or names and values of a map: blocks that say how many they hold and, with a minus, how long they are. */
  #skipBlocks(node: AvroNode): void {
    const input = this.#input;
    this.#enter();
    for (;;) {
      input.readLong();
      if (input.high === 0 && input.low === 0) break;
      if (input.high !== 0) throw new AvroFault('a block in it says it holds more than there is');
      let items = input.low;
      if (input.isNegative) {
        input.take(input.readCount());
        continue;
      }
      for (; items > 0; items--) {
        if (node.kind === AVRO_MAP) input.take(input.readCount());
        this.#skip(node.parts[0]);
      }
    }
    this.#depth--;
  }

  #branch(union: AvroNode): AvroNode {
    const branch = union.parts[this.#input.readCount()];
    if (branch === undefined) throw new AvroFault('a union in it has a branch that the schema does not know');
    return branch;
  }

  #boolean(): boolean {
    const byte = this.#input.readByte();
    if (byte > 1) throw new AvroFault('a boolean in it is neither 0 nor 1');
    return byte === 1;
  }

  #enter(): void {
    if (++this.#depth > DEPTH_MAX) throw new AvroFault(`it is nested deeper than ${DEPTH_MAX} levels`);
  }

  #count(): void {
    if (--this.#valuesLeft < 0) throw new AvroFault('it holds more values than bytes');
  }
}
