-- expect: x
-- reference: no 5.1 alone refuses a call that starts on a new line
local f = print
f
("x")
