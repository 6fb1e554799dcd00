-- expect: before
-- expect-error: uncaught-error.lua:5: uncaught
print("before")
local function f()
  error("uncaught")
end
f()
