//! The command line: one file for each command, and what they share.
//!
//! - `args`: the commands as one tree; `app`: parse, run, report, exit
//! - `output`, `background`, `failure`, `logging`: what goes to stdout, what to stderr, and the exit code
//! - `address`, `client`: reaching another peer
//! - `scripts`: script files on disk; `stop`: Ctrl-C
//!
//! The names, flags, outputs and exit codes are a contract that other people's scripts rely on.

mod address;
mod app;
mod args;
mod background;
mod call;
mod chat;
mod check;
mod client;
mod config;
mod data;
mod demo;
mod failure;
mod functions;
mod get;
mod kv;
mod logging;
mod lua;
mod new;
mod output;
mod peer;
mod run;
mod scripts;
mod stop;

pub(crate) use app::main;
