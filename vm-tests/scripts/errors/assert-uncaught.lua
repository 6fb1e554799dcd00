-- expect-error: assert-uncaught.lua:3: with message
local ok = assert(true)
assert(false, "with message")
