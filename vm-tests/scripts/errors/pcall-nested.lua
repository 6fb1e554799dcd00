-- expect: false	outer after inner
-- expect: false	bottom12345
-- expect: true	fine
print(pcall(function()
  local ok, e = pcall(error, "inner", 0)
  error("outer after " .. e, 0)
end))
local function deep(n) if n == 0 then error("bottom", 0) end local ok, e = pcall(deep, n - 1) error(e .. n, 0) end
print(pcall(deep, 5))
local ok, e = pcall(function() pcall(error, "x") return "fine" end)
print(ok, e)
