-- expect: tail-call-of-nil.lua:9: attempt to call a nil value (local 'x')
-- expect: tail-call-of-nil.lua:12: attempt to call a nil value (field 'nosuch')
-- expect: tail-call-of-nil.lua:15: attempt to call a nil value (method 'nosuch')
-- expect: tail-call-of-nil.lua:18: attempt to call a nil value (global 'nosuch')
-- expect: tail-call-of-nil.lua:21: attempt to call a nil value (field 'nosuch')
-- A tail call that fails does so at its own line.
local function of_local(f)
  local x = f
  return x(1)
end
local function of_field(t)
  return t.nosuch(1)
end
local function of_method(t)
  return t:nosuch(1)
end
local function of_global()
  return nosuch(1, 2)
end
local function with_call(t)
  return t.nosuch(tostring(1))
end
local function caller(f, a)
  local y = a
  local ok = f(a)
  return ok
end
for _, f in ipairs({of_local, of_field, of_method, of_global, with_call}) do
  print((select(2, pcall(caller, f, f ~= of_local and {} or nil))))
end
