//! What the compiler may rely on in the sandbox's own library.
//!
//! A call of `math.floor` can't fail as a call and gives a number, as long as the program has put
//! nothing else there. Programs that might have (they assign to the name, hand the library's table
//! around, or can reach the table of globals) are trusted in nothing.

use piccolo::MetaMethod;

use super::locals::Type;
use crate::vm::names::Names;

/// What is known of a native.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    /// The type of its first result.
    pub(super) gives: Option<Type>,
    /// Whether it always gives exactly one value.
    pub(super) single: bool,
}

const NUMBER: Known = Known { gives: Some(Type::Number), single: true };
const TEXT: Known = Known { gives: Some(Type::String), single: true };
const TABLE: Known = Known { gives: Some(Type::Table), single: true };
const VALUE: Known = Known { gives: None, single: true };
const VALUES: Known = Known { gives: None, single: false };

/// What a program makes it possible to rely on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts<'a> {
    names: &'a Names,
    /// Whether tables may have metatables, and so operators may do anything.
    pub(super) metatables: bool,
    /// Whether somebody asks for the lines of callers.
    pub(super) callers: bool,
    /// Whether a function that the tree does not show may be a native.
    takes_natives: bool,
}

impl<'a> Facts<'a> {
    /// What is known of a program, whose errors have a whole traceback if it is `traced`.
    pub(super) fn of(names: &'a Names, traced: bool) -> Self {
        let metatables = names.reaches_global("setmetatable");
        let callers = traced || names.raises_with_level();
        Self { names, metatables, callers, takes_natives: names.takes_natives() }
    }

    /// Whether the metamethod may be a function that asks for the line of its caller, as far as the names tell. Most
    /// `__index` are tables.
    pub(super) fn is_caller(&self, method: MetaMethod) -> bool {
        let asked = if method == MetaMethod::Le && self.orders_by_less() { MetaMethod::Lt } else { method };
        let name = asked.name().as_bytes();
        let mostly_tables = matches!(method, MetaMethod::Index | MetaMethod::NewIndex);
        let is_function =
            self.names.given_function(name) || (!mostly_tables && self.names.defines_field(name));
        self.callers && self.metatables && is_function
    }

    /// Whether `<=` may have to ask `__lt`.
    pub(super) fn orders_by_less(&self) -> bool {
        self.metatables && self.names.mentions(b"__lt") && !self.names.mentions(b"__le")
    }

    /// Whether the table of globals may have a metamethod that asks for the line of its caller.
    pub(super) fn globals_call(&self, method: MetaMethod) -> bool {
        self.names.reaches_globals() && self.is_caller(method)
    }

    /// The native that a global variable certainly holds, of those that never call back.
    pub(super) fn function(&self, global: &[u8]) -> Option<Known> {
        let known = match global {
            b"type" => TEXT,
            b"tostring" if !self.metatables => TEXT,
            b"tonumber" | b"rawget" | b"rawset" | b"rawequal" => VALUE,
            b"rawlen" => NUMBER,
            b"setmetatable" => TABLE,
            b"select" | b"unpack" | b"next" | b"pairs" | b"ipairs" => VALUES,
            _ => return None,
        };
        self.names.keeps_global(global).then_some(known)
    }

    /// What a global function of this name gets from its only caller, the host.
    pub(super) fn entry_argument(&self, name: &[u8]) -> Option<Type> {
        let argument = match name {
            b"handle" => Type::String,
            b"call" => Type::Table,
            _ => return None,
        };
        self.names.only_defines(name).then_some(argument)
    }

    /// Whether a global variable certainly holds `error`.
    pub(super) fn raises(&self, global: &[u8]) -> bool {
        global == b"error" && self.names.keeps_global(global)
    }

    /// The native that `library.field` certainly is, of those that never call back.
    pub(super) fn method(&self, library: &[u8], field: &[u8]) -> Option<Known> {
        let known = match (library, field) {
            (b"math", b"modf" | b"frexp") => VALUES,
            (
                b"math",
                b"abs" | b"acos" | b"asin" | b"atan" | b"atan2" | b"ceil" | b"cos" | b"cosh" | b"deg"
                | b"exp" | b"floor" | b"fmod" | b"ldexp" | b"log" | b"log10" | b"max" | b"min" | b"pow"
                | b"rad" | b"random" | b"sin" | b"sinh" | b"sqrt" | b"tan" | b"tanh",
            ) => NUMBER,
            (b"string", b"len") => NUMBER,
            (b"string", b"char" | b"format" | b"rep" | b"sub" | b"upper" | b"lower" | b"reverse") => TEXT,
            (b"string", b"byte" | b"find" | b"match" | b"gmatch") => VALUES,
            (b"table", b"concat") => TEXT,
            (b"table", b"insert" | b"remove") => VALUES,
            (b"os", b"time" | b"clock") => Known { gives: None, single: true },
            _ => return None,
        };
        self.keeps_library(library).then_some(known)
    }

    /// Whether a global variable certainly holds a native, be it one that calls back. `pcall` and `xpcall` are left
    /// out: they fail at nothing but their own use, and what they call would find one more function under it.
    pub(super) fn is_native(&self, global: &[u8]) -> bool {
        const THOSE_THAT_CALL_BACK: [&[u8]; 4] = [b"assert", b"getmetatable", b"print", b"tostring"];
        let calls_back = THOSE_THAT_CALL_BACK.contains(&global) && self.names.keeps_global(global);
        calls_back || self.function(global).is_some()
    }

    /// Whether a global variable certainly holds a function of the library.
    pub(super) fn is_function(&self, global: &[u8]) -> bool {
        let calls = matches!(global, b"pcall" | b"xpcall") && self.names.keeps_global(global);
        calls || self.raises(global) || self.is_native(global)
    }

    /// Whether `x:name()` calls a native as far as the names tell: strings have such a method and the program gives
    /// no table one.
    pub(super) fn is_text_method(&self, name: &[u8]) -> bool {
        self.has_text_method(name) && !self.names.defines_field(name)
    }

    /// Whether `x:name()` certainly calls a native if `x` is a string.
    pub(super) fn has_text_method(&self, name: &[u8]) -> bool {
        let known = name == b"gsub" || self.method(b"string", name).is_some();
        known && self.keeps_library(b"string")
    }

    /// Whether a function that is reached by this name, of a global variable or a field, may be a native. Without a
    /// name it is reached in some other way.
    pub(super) fn may_be_native(&self, name: Option<&[u8]>) -> bool {
        self.takes_natives && !name.is_some_and(|name| self.names.only_functions(name))
    }

    /// Whether what is reached by this name, of a global variable or a field, and then called, may be a table.
    pub(super) fn may_be_called_table(&self, name: &[u8]) -> bool {
        self.metatables && self.names.never_function(name)
    }

    /// Whether all functions in a global table certainly are natives.
    pub(super) fn holds_natives(&self, library: &[u8]) -> bool {
        self.keeps_library(library) || (library == b"goop" && self.names.keeps_global(library))
    }

    /// Whether `library.field` is certainly a number that the library holds.
    pub(super) fn is_number(&self, library: &[u8], field: &[u8]) -> bool {
        matches!((library, field), (b"math", b"pi" | b"huge")) && self.keeps_library(library)
    }

    /// Whether a global variable certainly holds the library's table.
    pub(super) fn keeps_library(&self, library: &[u8]) -> bool {
        // The table of strings is also reached through their metatable.
        let by_metatable = library == b"string" && self.names.reaches_global("getmetatable");
        matches!(library, b"math" | b"string" | b"table" | b"os")
            && self.names.keeps_table(library)
            && !by_metatable
    }
}
