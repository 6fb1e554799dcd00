-- expect-error: syntax-unclosed-brace-at-end.lua:5: '}' expected (to close '{' at line 2) near '<eof>'
x = {
1,
2
