-- expect-error: syntax-loop-head.lua:2: '=' or 'in' expected near 'do'
for i do end
