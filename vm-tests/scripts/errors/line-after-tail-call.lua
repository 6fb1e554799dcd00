-- expect: false	line-after-tail-call.lua:43: attempt to index a nil value (local 'x')
-- expect: false	line-after-tail-call.lua:43: attempt to index a nil value (local 'x')
-- expect: false	line-after-tail-call.lua:43: attempt to index a nil value (local 'x')
-- expect: false	line-after-tail-call.lua:43: attempt to index a nil value (local 'x')
-- expect: false	line-after-tail-call.lua:43: attempt to index a nil value (local 'x')
-- expect: false	line-after-tail-call.lua:43: attempt to index a nil value (local 'x')
-- expect: false	line-after-tail-call.lua:43: attempt to index a nil value (local 'x')
-- A callee that ends in a tail call must not leave its line in its caller.
local function plain(t) return t.a end
local function tail(t)
  local u = t.a
  return plain(t)
end
local function tail_of_field(t)
  local u = t.a
  return t.f(t)
end
local function tail_of_method(t)
  local u = t.a
  return t:f()
end
local function tail_of_call(t)
  local u = t.a
  return plain(plain({a = t}))
end
local function with_values(t)
  local u = t.a
  return 1, plain(t)
end
local function native(t)
  local u = t.a
  return pairs(t)
end
local function many(t)
  local u = t.a
  return plain(t, 1, 2, 3, 4, 5, 6)
end
local t = {f = plain}
for _, f in ipairs({tail, tail_of_field, tail_of_method, tail_of_call, with_values, native, many}) do
  print(pcall(function()
    local r = f(t)
    local x = nil
    return x.y
  end))
end
