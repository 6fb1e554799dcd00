-- A native that is called last by a function that knows it as a value only, be it a variable, a field or a parameter.
-- expect: line-of-native-value-in-tail-call.lua:30:
-- expect: line-of-native-value-in-tail-call.lua:35:
-- expect: line-of-native-value-in-tail-call.lua:38:
-- expect: line-of-native-value-in-tail-call.lua:41:
-- expect: line-of-native-value-in-tail-call.lua:44:
-- expect: line-of-native-value-in-tail-call.lua:48:
-- expect: line-of-native-value-in-tail-call.lua:30:
-- expect: line-of-native-value-in-tail-call.lua:56:
-- expect: line-of-native-value-in-tail-call.lua:63:
-- expect: line-of-native-value-in-tail-call.lua:67:
-- expect: false	called by pcall, which is no place
-- expect: line-of-native-value-in-tail-call.lua:75:
-- expect: line-of-native-value-in-tail-call.lua:80:
-- expect: line-of-native-value-in-tail-call.lua:85:
-- expect: line-of-native-value-in-tail-call.lua:89:
-- expect: line-of-native-value-in-tail-call.lua:92:
-- expect: line-of-native-value-in-tail-call.lua:95:
-- expect: line-of-native-value-in-tail-call.lua:101:
-- expect: line-of-native-value-in-tail-call.lua:108:
-- expect: down
-- expect: down
-- expect-error: line-of-native-value-in-tail-call.lua:121: bad argument #1 to 'rep' (string expected, got table)
local rep = string.rep
local function show(f, ...)
  local ok, message = pcall(f, ...)
  print((message:gsub("^([^:]+:%d+:).*", "%1")))
end
local function apply(f, ...)
  return f(...)
end
show(apply, rep, nil)
show(function()
  local s = string.rep
  return s(nil)
end)
show(function(t)
  return t.f()
end, { f = rep })
show(function(t)
  return t:f()
end, { f = rep })
show(function(list)
  return list[1](
    1, {})
end, { rep })
show(function(text)
  return text:rep({})
end, "x")
show(function()
  local x = apply(rep, {})
  return x
end)
show(function()
  local raise = error
  return raise("raised")
end)
show(function()
  local function check()
    local raise = error
    return raise("raised", 2)
  end
  check()
end)
show(function()
  local call = pcall
  return call()
end)
print((function()
  local call = pcall
  return call(error, "called by pcall, which is no place")
end)())
show(function()
  local replace = string.gsub
  return replace("abc", "%w", function() return {} end)
end)
show(function()
  local sort = table.sort
  return sort({ { 1 }, { 2 } }, function(x, y)
    return x.a < y
  end)
end)
show(function()
  local each = pairs({})
  return each(nil)
end)
show(function()
  local u = unpack
  return u(apply(tostring, 1), (2))
end)
show(function()
  return (getmetatable("").__index).rep()
end)
show(function(callable)
  return callable()
end, setmetatable({}, { __call = rep }))
show(function()
  -- Behind a native that came back, errors are where they were.
  local function pass(f, x) return f(x) end
  local text = pass(tostring, 1)
  rep(text, {})
end)
show(function()
  local function pass(f, x) return f(x) end
  local function inner() return pass(rep, nil) end
  pcall(inner)
  local t = pass(tonumber, "x")
  return t.x
end)
-- Functions of the script are still left behind by what they call last.
local function down(f, n)
  if n == 0 then return "down" end
  return f(f, n - 1)
end
print(down(down, 100000))
local callable = setmetatable({}, { __call = function(self, n)
  if n == 0 then return "down" end
  return self(n - 1)
end })
print(callable(100000))
return rep({}, 1)
