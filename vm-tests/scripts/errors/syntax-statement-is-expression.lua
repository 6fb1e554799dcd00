-- expect-error: syntax-statement-is-expression.lua:2: '=' expected near '+'
x + 1
