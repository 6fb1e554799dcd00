-- expect-error: syntax-grouped-statement.lua:3: syntax error near '<eof>'
(a)
