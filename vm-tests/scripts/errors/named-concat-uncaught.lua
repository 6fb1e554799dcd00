-- expect: hello
-- expect-error: named-concat-uncaught.lua:5: attempt to concatenate a nil value (local 'name')
local name
print("hello")
local s = "hello " .. name
