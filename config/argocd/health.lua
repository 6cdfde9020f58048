-- The health of every kind of the group gcp.holdfast.dev, from its conditions, which follow kstatus.
local status = obj.status or {}
local conditions = {}
for _, condition in ipairs(status.conditions or {}) do
  conditions[condition.type] = condition
end
local ready = conditions.Ready

if ready == nil or status.observedGeneration ~= obj.metadata.generation then
  return {status = "Progressing", message = "Holdfast has not observed this generation yet"}
end

-- The reason and the message of Ready.
local said = ready.reason .. ": " .. ready.message

-- On hold by a person, or waiting for one. Comes before Degraded, since nothing is wrong.
local glass = conditions.BreakGlass
if glass ~= nil and glass.status ~= "False" then
  if ready.status == "True" then
    return {status = "Suspended", message = glass.message}
  end
  return {status = "Suspended", message = glass.message .. " (" .. said .. ")"}
end
if ready.reason == "AwaitingApproval" or ready.reason == "AwaitingAdoption" or ready.reason == "DataLoss" or ready.reason == "DestructionOnHold" then
  return {status = "Suspended", message = said}
end

if ready.status == "True" then
  return {status = "Healthy", message = said}
end
if conditions.Stalled ~= nil and conditions.Stalled.status == "True" then
  return {status = "Degraded", message = said}
end
return {status = "Progressing", message = said}
