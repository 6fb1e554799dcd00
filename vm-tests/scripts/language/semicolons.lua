-- expect: 1	2
-- expect: x
-- expect:
local a = 1; local b = 2;
print(a, b);
do print("x"); end;
local function f() return; end;
print(f());
