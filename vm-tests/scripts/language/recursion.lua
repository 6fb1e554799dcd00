-- expect: 610
-- expect: true
-- expect: 150
-- expect: tail
local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end
print(fib(15))
local function even(n) if n == 0 then return true end return odd(n - 1) end
function odd(n) if n == 0 then return false end return even(n - 1) end
print(even(10))
local function depth(n) if n == 0 then return 0 end return 1 + depth(n - 1) end
print(depth(150))
local function loop(n) if n == 0 then return "tail" end return loop(n - 1) end
print(loop(20000))
