-- expect: hello
-- expect-error: concat-uncaught.lua:5: attempt to concatenate a nil value
local function none() end
print("hello")
local s = "hello " .. none()
