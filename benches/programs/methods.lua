-- Objects: methods found through __index, on the class and on its parent.
local Account = {}
Account.__index = Account

function Account.new(balance)
    return setmetatable({ balance = balance }, Account)
end

function Account:deposit(amount)
    self.balance = self.balance + amount
end

function Account:worth()
    return self.balance
end

local Savings = setmetatable({}, { __index = Account })
Savings.__index = Savings

function Savings:interest()
    self:deposit(self.balance * 0.0001)
end

function handle()
    local total = 0
    for i = 1, 40 do
        local plain, savings = Account.new(i), setmetatable({ balance = i }, Savings)
        for _ = 1, 700 do
            plain:deposit(1)
            savings:interest()
        end
        total = total + plain:worth() + savings:worth()
    end
    return string.format('%.4f', total)
end
