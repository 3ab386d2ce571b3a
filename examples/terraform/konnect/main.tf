# The founding case in Konnect, and diag405 on the route that is looked into. The schema has to
# be there before the plugin.
#
#   diag405 schema -lua diag405 > diag405.lua

terraform {
  required_providers {
    konnect = {
      source  = "kong/konnect"
      version = "3.19.0"
    }
  }
}

variable "region" {
  type    = string
  default = "us"
}

variable "control_plane" {
  type        = string
  description = "the id of the control plane"
}

variable "weather" {
  type    = object({ host = string, port = number })
  default = { host = "weather", port = 8900 }
}

# The token comes from KONNECT_TOKEN, or KONNECT_SPAT of a system account.
provider "konnect" {
  server_url = "https://${var.region}.api.konghq.com"
}

resource "konnect_gateway_custom_plugin_schema" "diag405" {
  control_plane_id = var.control_plane
  lua_schema       = file("${path.module}/diag405.lua")
}

resource "konnect_gateway_service" "weather" {
  control_plane_id = var.control_plane
  name             = "internal-weather-service"
  protocol         = "http"
  host             = var.weather.host
  port             = var.weather.port
}

resource "konnect_gateway_route" "send_weather" {
  control_plane_id = var.control_plane
  name             = "internal-weather-route-POST"
  protocols        = ["http", "https"]
  methods          = ["POST"]
  paths            = ["/api/sendWeather"]
  service          = { id = konnect_gateway_service.weather.id }
}

resource "konnect_gateway_custom_plugin" "diag405" {
  control_plane_id = var.control_plane
  name             = "diag405"
  route            = { id = konnect_gateway_route.send_weather.id }
  config = {
    log_requests = "changed"
  }
  depends_on = [konnect_gateway_custom_plugin_schema.diag405]
}
