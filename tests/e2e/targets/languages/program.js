// SPDX-License-Identifier: GPL-2.0-or-later
// program.js COUNT FILE: as program.py.
'use strict';

const account = [];
let kept, state = 7;

function chance(limit) {
  state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
  return (state >> 8) % limit;
}

function functions() {
  const lines = new Error().stack.split('\n').filter(line => !line.includes('<anonymous>'));
  return lines.map(line => /deep_[a-z]\w*/.exec(line.split('(')[0])).filter(name => name).map(name => name[0]);
}

function deep_leaf(size) {
  kept = new ArrayBuffer(size);
  account.push(`${size} ${functions().join(';')}\n`);
}

class Tree {
  get deep_property() { return deep_step(...this.given); }
}

function* deep_generator(depth, size) { yield deep_step(depth, size); }
function deep_generated(depth, size) { return [...deep_generator(depth, size)]; }
function deep_each(depth, size) { [depth].forEach(function deep_one() { deep_step(depth, size); }); }
function deep_replaced(depth, size) { 'a'.replace(/a/, function deep_replacer() { return deep_step(depth, size); }); }
function deep_got(depth, size) { const tree = new Tree(); tree.given = [depth, size]; return tree.deep_property; }
const ways = [deep_generated, deep_each, deep_replaced, deep_got];

function deep_step(depth, size) {
  if (depth)
    ways[chance(ways.length)](depth - 1, size);
  else
    deep_leaf(size);
}

Error.stackTraceLimit = Infinity;
for (let number = 0; number < +process.argv[2]; number++)
  deep_step(chance(6), 100001 + 16 * number);
require('fs').writeFileSync(process.argv[3], account.join(''));
