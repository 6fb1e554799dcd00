//! Tables that a script can read and not change.
//!
//! Lua asks `__newindex` only about keys that are not there, so a table can't refuse to have a field
//! replaced. What a script holds is therefore an empty table in front of the one with the fields:
//! reading and writing both miss it, and its metatable answers. That costs a call for each read, which is
//! why whoever builds the tables asks [`Names::holds_tables_of`] first: a program that can only read needs
//! no such front. User data would refuse as well, but `type` would no longer say `table`.
//!
//! [`Names::holds_tables_of`]: crate::vm::names::Names::holds_tables_of

use std::rc::Rc;

use ottavino_gc_arena::{Collect, Rootable};
use piccolo::{Context, Singleton, String as LuaString, Table, Value};

use crate::vm::call::{Call, Shared};
use crate::vm::native::{Native, Outcome, Raise};
use crate::vm::stdlib::text::number_text;

/// Fuel for a read: little more than the VM charges for a call.
const READ: i32 = 2;

static INDEX: Native = Native { name: "__index", fuel: READ, run: index };
static NEW_INDEX: Native = Native { name: "__newindex", fuel: READ, run: new_index };

/// The key in the metatable of a front under which its contents lie. A table, so that no script can
/// write it.
#[derive(Copy, Clone, Collect)]
#[collect(no_drop)]
struct ContentsKey<'gc>(Table<'gc>);

impl<'gc> Singleton<'gc> for ContentsKey<'gc> {
    fn create(ctx: Context<'gc>) -> Self {
        Self(Table::new(&ctx))
    }
}

fn contents_key<'gc>(ctx: Context<'gc>) -> Value<'gc> {
    ctx.singleton::<Rootable![ContentsKey<'_>]>().0.into()
}

/// A table that shows the fields of `contents` and lets nobody change them. Scripts are told that
/// `name` is read-only.
pub(crate) fn front<'gc>(
    ctx: Context<'gc>,
    shared: &Rc<Shared>,
    name: &'static str,
    contents: Table<'gc>,
) -> Table<'gc> {
    let front = Table::new(&ctx);
    close(ctx, shared, name, front, contents);
    front
}

/// Makes the empty table `front` one that shows `contents`, as [`front`] does.
pub(crate) fn close<'gc>(
    ctx: Context<'gc>,
    shared: &Rc<Shared>,
    name: &'static str,
    front: Table<'gc>,
    contents: Table<'gc>,
) {
    let metatable = Table::new(&ctx);
    let name = LuaString::from_static(&ctx, name.as_bytes());
    metatable.set_field(ctx, "__index", INDEX.bind_with(ctx, shared, contents.into()));
    metatable.set_field(ctx, "__newindex", NEW_INDEX.bind_with(ctx, shared, name.into()));
    metatable.set_field(ctx, "__metatable", false);
    let set = metatable.set_raw(&ctx, contents_key(ctx), contents.into());
    debug_assert!(set.is_ok(), "a table is always a valid key");
    front.set_metatable(&ctx, Some(metatable));
}

/// What is behind a front; `None` for any other table.
pub(crate) fn contents<'gc>(ctx: Context<'gc>, table: Table<'gc>) -> Option<Table<'gc>> {
    match table.metatable()?.get_raw(contents_key(ctx)) {
        Value::Table(contents) => Some(contents),
        _ => None,
    }
}

/// Refuses what goes past metatables: a front is empty to it, and must stay so.
pub(crate) fn refuse_raw_access<'gc>(call: &Call<'gc, '_>, table: Table<'gc>) -> Result<(), Raise<'gc>> {
    match contents(call.ctx, table) {
        Some(_) => Err(Raise::Message(format!("{}: this table is read-only", call.name))),
        None => Ok(()),
    }
}

fn index<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let value = match call.upvalue {
        Value::Table(contents) => contents.get_raw(call.value(2)),
        _ => Value::Nil,
    };
    call.give(value)
}

fn new_index<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let text = |value: Value<'gc>| match value {
        Value::String(text) => text.display_lossy().to_string(),
        other => number_text(other).unwrap_or_else(|| format!("a {}", other.type_name())),
    };
    let (table, key) = (text(call.upvalue), text(call.value(2)));
    Err(Raise::Message(format!("{table} is read-only: its field {key} can't be set")))
}
