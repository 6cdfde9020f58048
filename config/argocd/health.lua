-- The health of every kind of the group gcp.holdfast.dev, from its conditions. They keep to kstatus.
local status = obj.status or {}
local conditions = {}
for _, condition in ipairs(status.conditions or {}) do
  conditions[condition.type] = condition
end
local ready = conditions.Ready

if ready == nil or status.observedGeneration ~= obj.metadata.generation then
  return {status = "Progressing", message = "Holdfast has not looked at this generation yet"}
end

-- The message of Ready, behind its reason.
local said = ready.reason .. ": " .. ready.message

-- A person holds it, or is waited for. That comes before Degraded, since nothing is broken.
local glass = conditions.BreakGlass
if glass ~= nil and glass.status ~= "False" then
  if ready.status == "True" then
    return {status = "Suspended", message = glass.message}
  end
  return {status = "Suspended", message = glass.message .. " (" .. said .. ")"}
end
if ready.reason == "AwaitingApproval" or ready.reason == "AwaitingAdoption" then
  return {status = "Suspended", message = said}
end

if ready.status == "True" then
  return {status = "Healthy", message = said}
end
if conditions.Stalled ~= nil and conditions.Stalled.status == "True" then
  return {status = "Degraded", message = said}
end
return {status = "Progressing", message = said}
