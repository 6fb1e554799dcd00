-- The error is the one thing made of a long text: with it there is room for another of nearly the same length.
-- expect: false	3500029	x
-- expect: false	3500000	x
-- expect: false	3500029	x
local text = ("x"):rep(3500000)
local function show(f, ...)
  local ok, message = pcall(f, ...)
  print(ok, #message, message:sub(-1))
end
show(function() error(text) end)
show(function() error(text, 0) end)
show(function() assert(false, text) end)
