# The custom roles of roles/ in an organization.

terraform {
  required_providers {
    google = {
      source = "hashicorp/google"
    }
  }
}

variable "organization" {
  description = "The number of the organization."
  type        = string
}

locals {
  roles = {
    for file in fileset("${path.module}/roles", "*.yaml") :
    trimsuffix(file, ".yaml") => yamldecode(file("${path.module}/roles/${file}"))
  }
}

resource "google_organization_iam_custom_role" "holdfast" {
  for_each = local.roles

  org_id      = var.organization
  role_id     = each.key
  title       = each.value.title
  description = each.value.description
  stage       = each.value.stage
  permissions = each.value.includedPermissions
}

output "roles" {
  description = "The names to grant the roles by, each by its ID."
  value       = { for id, role in google_organization_iam_custom_role.holdfast : id => role.name }
}
