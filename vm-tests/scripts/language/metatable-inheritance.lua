-- expect: Rex makes a sound: woof
-- expect: Cat makes a sound
-- expect: true
local Animal = {} Animal.__index = Animal
function Animal.new(name) return setmetatable({ name = name }, Animal) end
function Animal:speak() return self.name .. " makes a sound" end
local Dog = setmetatable({}, { __index = Animal }) Dog.__index = Dog
function Dog.new(name) return setmetatable(Animal.new(name), Dog) end
function Dog:speak() return Animal.speak(self) .. ": woof" end
print(Dog.new("Rex"):speak())
print(Animal.new("Cat"):speak())
print(getmetatable(Dog.new("a")) == Dog)
