// SPDX-License-Identifier: GPL-2.0-or-later
//! Rust as its compiler optimizes it, without frame pointers: recursion through trait objects, closures and generics,
//! collections that grow, panics caught above frames that allocate while they are unwound, threads with values that
//! allocate when their thread ends.

// Not stable yet in Debian 12's rustc, 1.63.
#![allow(stable_features)]
#![feature(bench_black_box)]

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::hint::black_box;
use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe};

const ROUNDS: usize = 60;

struct Walk {
    state: u64,
    sum: u64,
}

impl Walk {
    fn draw(&mut self, below: u64) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state % below
    }
}

struct Late(Vec<String>);

impl Drop for Late {
    fn drop(&mut self) {
        for number in 0..20 {
            self.0.push(format!("a word for the heap {number}"));
        }
        black_box(&self.0);
    }
}

thread_local! {
    static LAST_WORDS: RefCell<Late> = const { RefCell::new(Late(Vec::new())) };
}

trait Shape: Sync {
    fn act(&self, walk: &mut Walk, left: usize);
}

struct Mapping;
struct Closure;
struct Sorting;
struct Panicking;
struct Generic;

impl Shape for Mapping {
    fn act(&self, walk: &mut Walk, left: usize) {
        let mut by_hash: HashMap<String, Vec<u64>> = HashMap::new();
        let mut in_order = BTreeMap::new();

        for number in 0..8 {
            let key = format!("a key on the heap {}", walk.draw(5));

            in_order.insert(number, key.clone());
            by_hash.entry(key).or_default().push(number);
        }
        go_on(walk, left);
        walk.sum += (by_hash.len() + in_order.len()) as u64;
    }
}

#[inline(never)]
fn apply(act: &mut dyn FnMut(usize)) {
    act(3);
    black_box(());
}

impl Shape for Closure {
    fn act(&self, walk: &mut Walk, left: usize) {
        let name = "c".repeat(40 + walk.draw(100) as usize);
        let mut act: Box<dyn FnMut(usize)> = Box::new(|step| {
            let numbers: Box<[u64]> = vec![1; step + 3].into_boxed_slice();

            go_on(walk, left);
            walk.sum += name.len() as u64 + black_box(numbers)[0];
        });

        apply(&mut *act);
    }
}

impl Shape for Sorting {
    fn act(&self, walk: &mut Walk, left: usize) {
        let mut words: Vec<String> = (0..20).map(|_| format!("word {}", walk.draw(1000))).collect();

        words.sort_by_key(|word| format!("{word}x"));
        go_on(walk, left);
        walk.sum += words.concat().len() as u64;
    }
}

/// Runs while a panic passes.
struct Guard(u64);

impl Drop for Guard {
    fn drop(&mut self) {
        black_box("g".repeat(50 + self.0 as usize));
    }
}

#[inline(never)]
fn panic_through(walk: &mut Walk, frames: u64) {
    let held = Guard(walk.draw(10));

    if frames == 0 {
        resume_unwind(Box::new(String::from("thrown with a message on the heap")));
    }
    panic_through(walk, frames - 1);
    walk.sum += held.0;
}

impl Shape for Panicking {
    fn act(&self, walk: &mut Walk, left: usize) {
        let frames = walk.draw(6);
        let caught = catch_unwind(AssertUnwindSafe(|| panic_through(walk, frames)));

        walk.sum += caught.unwrap_err().downcast::<String>().unwrap().len() as u64;
        go_on(walk, left);
    }
}

#[inline(never)]
fn double<T: Clone + Debug>(values: &[T]) -> String {
    let doubled: Vec<T> = values.iter().chain(values).cloned().collect();

    format!("{doubled:?}")
}

impl Shape for Generic {
    fn act(&self, walk: &mut Walk, left: usize) {
        walk.sum += double(&[walk.draw(9), 2, 3]).len() as u64;
        walk.sum += double(&["one", "two"]).len() as u64;
        walk.sum += double(&[Some(1.5), None]).len() as u64;
        go_on(walk, left);
    }
}

static SHAPES: [&dyn Shape; 5] = [&Mapping, &Closure, &Sorting, &Panicking, &Generic];

#[inline(never)]
fn go_on(walk: &mut Walk, left: usize) {
    if left > 0 {
        let shape = SHAPES[walk.draw(SHAPES.len() as u64) as usize];

        shape.act(walk, left - 1);
        black_box(());
    }
}

fn work(seed: u64) -> u64 {
    let mut walk = Walk { state: seed, sum: 0 };

    LAST_WORDS.with(|words| words.borrow_mut().0.push(String::from("the first of them")));
    for _ in 0..ROUNDS {
        let frames = walk.draw(12) as usize;

        go_on(&mut walk, frames);
    }
    walk.sum
}

fn main() {
    let threads: Vec<_> = [362436069362436069, 521288629521288629]
        .into_iter()
        .map(|seed| std::thread::spawn(move || work(seed)))
        .collect();
    let own = work(88172645463325252);
    let others: Vec<u64> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();

    println!("{own} {others:?}");
}
