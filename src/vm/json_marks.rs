//! What tables can't say by themselves: an empty list, an object whose keys are numbers, null.
//!
//! A mark is a metatable that scripts can neither see nor change, so it is lost with the table and
//! needs no entry of it. Fields with reserved names were rejected: they are part of what a script
//! counts, walks and sends.

use ottavino_gc_arena::{Collect, Rootable};
use piccolo::{Context, Singleton, Table};

/// What JSON makes of a marked table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    /// A list, which matters while it is empty.
    List,
    /// An object, which matters when keys are numbers.
    Object,
}

#[derive(Copy, Clone, Collect)]
#[collect(no_drop)]
struct Marks<'gc> {
    list: Table<'gc>,
    object: Table<'gc>,
    null: Table<'gc>,
}

impl<'gc> Singleton<'gc> for Marks<'gc> {
    fn create(ctx: Context<'gc>) -> Self {
        let protected = || {
            let metatable = Table::new(&ctx);
            metatable.set_field(ctx, "__metatable", false);
            metatable
        };
        let null = Table::new(&ctx);
        null.set_metatable(&ctx, Some(protected()));
        Self { list: protected(), object: protected(), null }
    }
}

fn marks<'gc>(ctx: Context<'gc>) -> Marks<'gc> {
    *ctx.singleton::<Rootable![Marks<'_>]>()
}

/// The value that stands for JSON's null: one table, equal only to itself.
pub(crate) fn null_value<'gc>(ctx: Context<'gc>) -> Table<'gc> {
    marks(ctx).null
}

/// Marks `table`, in place of the metatable that it has.
pub(crate) fn set_mark<'gc>(ctx: Context<'gc>, table: Table<'gc>, mark: Mark) {
    let metatable = match mark {
        Mark::List => marks(ctx).list,
        Mark::Object => marks(ctx).object,
    };
    table.set_metatable(&ctx, Some(metatable));
}

/// The mark of `table`.
pub(crate) fn mark_of<'gc>(ctx: Context<'gc>, table: Table<'gc>) -> Option<Mark> {
    let metatable = table.metatable()?;
    let Marks { list, object, .. } = marks(ctx);
    if metatable == list {
        Some(Mark::List)
    } else if metatable == object {
        Some(Mark::Object)
    } else {
        None
    }
}
