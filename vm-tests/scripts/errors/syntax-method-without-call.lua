-- expect-error: syntax-method-without-call.lua:3: function arguments expected near '<eof>'
x:y
