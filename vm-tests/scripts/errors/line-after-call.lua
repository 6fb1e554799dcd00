-- expect: false	line-after-call.lua:35: attempt to perform arithmetic on a nil value
-- expect: false	line-after-call.lua:35: attempt to perform arithmetic on a nil value
-- expect: false	line-after-call.lua:35: attempt to perform arithmetic on a nil value
-- expect: false	line-after-call.lua:35: attempt to perform arithmetic on a nil value
-- expect: false	line-after-call.lua:39: attempt to perform arithmetic on a nil value
-- A call in a statement must not leave the callee's line for the rest of the statement.
local function direct(t)
  local x = t.a
  return x
end
local function computed(t)
  return t.a
end
local function branches(t)
  if t.a then
    return t.a, 1
  end
  for i = 1, #t + 1 do
    local y = t[i]
    if not y then
      return
    end
  end
end
local function falls_off(t)
  t.b = t.a
end
local function raises()
  local t = {}
  error()
end
for _, f in ipairs({direct, computed, branches, falls_off}) do
  print(pcall(function()
    local y = 1
    y = f({}) + y
  end))
end
print(pcall(function()
  local v = select(2, pcall(raises)) + 1
end))
