// SPDX-License-Identifier: GPL-2.0-or-later

// program COUNT FILE: as program.py.

// Not stable yet in Debian 12's rustc, 1.63.
#![allow(stable_features)]
#![feature(backtrace, bench_black_box)]

use std::backtrace::Backtrace;
use std::hint::black_box;

struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) % limit
    }
}

fn functions() -> String {
    let text = Backtrace::force_capture().to_string();
    let names = text.lines().filter_map(|line| line.find("deep_").map(|at| line[at..].to_string()));
    names.collect::<Vec<_>>().join(";")
}

#[inline(never)]
fn deep_leaf(size: usize, account: &mut Vec<String>) {
    black_box(Vec::<u8>::with_capacity(size));
    account.push(format!("{} {}\n", size, functions()));
}

trait Way {
    fn deep_go(&self, depth: u64, size: usize, chance: &mut Chance, account: &mut Vec<String>);
}

struct Plain;
struct Each;
struct Boxed;

impl Way for Plain {
    fn deep_go(&self, depth: u64, size: usize, chance: &mut Chance, account: &mut Vec<String>) {
        deep_step(depth, size, chance, account);
        black_box(size);
    }
}

impl Way for Each {
    fn deep_go(&self, depth: u64, size: usize, chance: &mut Chance, account: &mut Vec<String>) {
        [depth].iter().for_each(|&depth| deep_step(depth, size, chance, account));
        black_box(size);
    }
}

impl Way for Boxed {
    fn deep_go(&self, depth: u64, size: usize, chance: &mut Chance, account: &mut Vec<String>) {
        let mut step: Box<dyn FnMut(u64)> = Box::new(|depth| deep_step(depth, size, chance, account));
        black_box(&mut step)(depth);
    }
}

fn deep_step(depth: u64, size: usize, chance: &mut Chance, account: &mut Vec<String>) {
    let ways: [&dyn Way; 3] = [&Plain, &Each, &Boxed];
    if depth > 0 {
        black_box(ways)[chance.below(3) as usize].deep_go(depth - 1, size, chance, account);
    } else {
        deep_leaf(size, account);
    }
    black_box(size);
}

fn main() {
    let words: Vec<String> = std::env::args().collect();
    let (mut chance, mut account) = (Chance(7), Vec::new());
    for number in 0..words[1].parse::<usize>().unwrap() {
        let depth = chance.below(6);
        deep_step(depth, 100001 + 16 * number, &mut chance, &mut account);
    }
    std::fs::write(&words[2], account.concat()).unwrap();
}
