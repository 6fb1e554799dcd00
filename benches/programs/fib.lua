-- Calls: two for each step, and little else.
local function fib(n)
    if n < 2 then return n end
    return fib(n - 1) + fib(n - 2)
end

function handle()
    return fib(25)
end
