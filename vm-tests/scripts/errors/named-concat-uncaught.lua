-- expect: hello
-- expect-error: named-concat-uncaught.lua:5: attempt to concatenate local 'name' (a nil value)
local name
print("hello")
local s = "hello " .. name
