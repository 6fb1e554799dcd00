//! `pcall` and `xpcall`.
//!
//! They catch what scripts raise and what their operations raise. A limit is neither: the machine
//! ends the invocation before a handler could run.

use std::pin::Pin;
use std::rc::Rc;

use ottavino_gc_arena::Collect;
use piccolo::{BoxSequence, Context, Error, Execution, Function, Sequence, SequencePoll, Stack, Value};

use crate::vm::call::{Call, Shared};
use crate::vm::mark::{mark, set_mark};
use crate::vm::native::{Flow, Native, Outcome, Raise};
use crate::vm::vm_error::error_value;

/// Fuel for setting up a protected call.
const CALL: i32 = 8;

pub(super) static PCALL: Native = Native { name: "pcall", fuel: CALL, run: pcall };
pub(super) static XPCALL: Native = Native { name: "xpcall", fuel: CALL, run: xpcall };

fn pcall<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let callee = call.any(1)?;
    call.stack.remove(0);
    protected(call, callee, None)
}

fn xpcall<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    call.any(2)?;
    let (callee, handler) = (call.value(1), call.value(2));
    call.stack.drain(..2);
    protected(call, callee, Some(handler))
}

fn protected<'gc>(call: &mut Call<'gc, '_>, callee: Value<'gc>, handler: Option<Value<'gc>>) -> Outcome<'gc> {
    // The arguments have been moved to the front.
    call.charge_units(call.count());
    let handler = match handler {
        Some(Value::Function(function)) => Handler::Function(function),
        Some(_) => Handler::Broken,
        None => Handler::None,
    };
    let mark = mark(call.ctx, call.shared);
    // What it calls is not called by the function that called it last.
    let tail_call = call.shared.tail_call.take();
    let sequence = Protected { handler, handling: false, mark, tail_call, shared: call.shared.clone() };
    // What can't be called fails inside the protection, as in reference Lua.
    let function = match callee {
        Value::Function(function) => function,
        other => {
            call.stack.push_front(other);
            CALL_VALUE.bind(call.ctx, call.shared).into()
        }
    };
    Ok(Flow::Call { function, then: Some(BoxSequence::new(&call.ctx, sequence)) })
}

/// Calls its first argument, which is no function, with the others.
static CALL_VALUE: Native = Native { name: "pcall", fuel: 0, run: call_value };

fn call_value<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let value = call.value(1);
    match piccolo::meta_ops::call(call.ctx, value) {
        Ok(function) => {
            // What `__call` gives puts the value in front by itself.
            call.stack.remove(0);
            Ok(Flow::Call { function, then: None })
        }
        Err(_) => {
            let message = format!("attempt to call a {} value", value.type_name());
            Err(Raise::Value(call.new_string(message.as_bytes())?.into()))
        }
    }
}

#[derive(Copy, Clone, Collect)]
#[collect(no_drop)]
enum Handler<'gc> {
    None,
    Function(Function<'gc>),
    /// Something that can't be called.
    Broken,
}

#[derive(Collect)]
#[collect(no_drop)]
struct Protected<'gc> {
    handler: Handler<'gc>,
    /// Whether the handler is running.
    handling: bool,
    /// The mark of the caller.
    mark: i64,
    /// The tail call under way when it was called.
    tail_call: Option<u64>,
    #[collect(require_static)]
    shared: Rc<Shared>,
}

impl<'gc> Sequence<'gc> for Protected<'gc> {
    fn poll(
        self: Pin<&mut Self>,
        _: Context<'gc>,
        _: Execution<'gc, '_>,
        mut stack: Stack<'gc, '_>,
    ) -> Result<SequencePoll<'gc>, Error<'gc>> {
        self.shared.tail_call.set(self.tail_call);
        if self.handling {
            stack.resize(1);
        }
        stack.push_front(Value::Boolean(!self.handling));
        Ok(SequencePoll::Return)
    }

    fn error(
        mut self: Pin<&mut Self>,
        ctx: Context<'gc>,
        _: Execution<'gc, '_>,
        error: Error<'gc>,
        mut stack: Stack<'gc, '_>,
    ) -> Result<SequencePoll<'gc>, Error<'gc>> {
        if self.shared.budget.verdict().is_some() {
            return Err(error);
        }
        let value = error_value(ctx, &self.shared, &error);
        if let Value::String(text) = value {
            self.shared.chosen.borrow_mut().caught(text.as_bytes());
        }
        set_mark(ctx, &self.shared, self.mark);
        self.shared.tail_call.set(self.tail_call);
        stack.clear();
        match self.handler {
            Handler::Function(function) if !self.handling => {
                self.handling = true;
                stack.push_back(value);
                Ok(SequencePoll::Call { bottom: 0, function })
            }
            // An error in the handler: reference Lua gives up with its status text.
            Handler::Function(_) | Handler::Broken => {
                stack.push_back(Value::Boolean(false));
                stack.push_back(ctx.intern_static(b"error in error handling").into());
                Ok(SequencePoll::Return)
            }
            Handler::None => {
                stack.push_back(Value::Boolean(false));
                stack.push_back(value);
                Ok(SequencePoll::Return)
            }
        }
    }
}
