//! Fills a fresh VM with what its program can reach: the library, the layer above's natives, the program itself.

use std::any::Any;
use std::rc::Rc;

use ottavino_gc_arena::Rootable;
use piccolo::{
    Callback, Closure, Context, Executor, FunctionPrototype, StashedExecutor, String as LuaString, Table,
    Value, Variadic,
};

use crate::vm::call::Shared;
use crate::vm::error::RunError;
use crate::vm::mark::NOWHERE;
use crate::vm::names::Names;
use crate::vm::native::Native;
use crate::vm::program::Program;
use crate::vm::read_only;
use crate::vm::stdlib;

/// Builds tables and natives in a fresh VM, for the layer above.
pub(crate) struct Installer<'gc, 'a> {
    pub(crate) ctx: Context<'gc>,
    shared: &'a Rc<Shared>,
    names: &'a Names,
}

/// What the layer above adds to a fresh VM.
pub(crate) type Install = for<'gc, 'a, 'b> fn(&'b mut Installer<'gc, 'a>);

impl<'gc> Installer<'gc, '_> {
    /// Sets a global, unless the program can't reach it.
    pub(crate) fn global(&self, name: &'static str, value: impl FnOnce(&Self) -> Value<'gc>) {
        if self.names.reaches_global(name) {
            self.ctx.globals().set_field(self.ctx, name, value(self));
        }
    }

    /// Binds the natives of `natives` as fields of `table`, those that the program can reach as
    /// fields of the global `library`.
    pub(crate) fn natives(&self, table: Table<'gc>, library: &str, natives: &'static [Native]) {
        for native in natives {
            if self.names.reaches_field(library, native.name) {
                table.set_field(self.ctx, native.name, self.bind(native));
            }
        }
    }

    /// A new table of all the natives that the program can reach as fields of `library`.
    pub(crate) fn library(&self, library: &str, natives: &'static [Native]) -> Table<'gc> {
        let table = Table::new(&self.ctx);
        self.natives(table, library, natives);
        table
    }

    pub(crate) fn bind(&self, native: &'static Native) -> Callback<'gc> {
        native.bind(self.ctx, self.shared)
    }

    /// A table that shows `contents`, which the program knows as `name`, and can't be changed.
    pub(crate) fn read_only(&self, name: &'static str, contents: Table<'gc>) -> Table<'gc> {
        read_only::front(self.ctx, self.shared, name, contents)
    }

    /// Lets nobody put anything into `table`, which is empty.
    pub(crate) fn close(&self, name: &'static str, table: Table<'gc>) {
        read_only::close(self.ctx, self.shared, name, table, Table::new(&self.ctx));
    }

    pub(crate) fn text(&self, text: &str) -> Value<'gc> {
        LuaString::from_slice(&self.ctx, text.as_bytes()).into()
    }

    pub(crate) fn names(&self) -> &Names {
        self.names
    }

    pub(crate) fn host<T: 'static>(&self) -> Option<&T> {
        let host: &dyn Any = &*self.shared.host;
        host.downcast_ref()
    }
}

/// Fills the VM. What is returned runs the program.
pub(crate) fn build(
    ctx: Context<'_>,
    program: &Program,
    shared: &Rc<Shared>,
    install: Install,
) -> Result<StashedExecutor, RunError> {
    let mut installer = Installer { ctx, shared, names: program.names() };
    stdlib::install(&installer);
    install(&mut installer);

    let chunk_name = ctx.intern(program.name().as_bytes());
    let prototype =
        FunctionPrototype::from_compiled_map_strings(&ctx, chunk_name, program.prototype(), |text| {
            ctx.intern(text)
        });
    let closure = Closure::new(&ctx, prototype, Some(ctx.globals()))
        .map_err(|error| RunError::Internal { detail: error.to_string() })?;
    let natives = program.hidden().iter().map(|native| installer.bind(stdlib::hidden_native(*native)).into());
    let arguments: Vec<Value<'_>> = std::iter::once(Value::Integer(NOWHERE)).chain(natives).collect();
    Ok(ctx.stash(Executor::start(ctx, closure.into(), Variadic(arguments))))
}

/// The metatable of all strings. The VM takes methods from its `__index` alone.
pub(crate) fn string_metatable<'gc>(ctx: Context<'gc>) -> Table<'gc> {
    ctx.singleton::<Rootable![piccolo::stdlib::StringMetatable<'_>]>().0
}
