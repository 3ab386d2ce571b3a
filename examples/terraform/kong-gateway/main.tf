# The founding case in Kong Enterprise, with a database, and diag405 on the route that is looked
# into.

terraform {
  required_providers {
    kong-gateway = {
      source  = "kong/kong-gateway"
      version = "1.1.0"
    }
  }
}

variable "admin" {
  type    = string
  default = "http://localhost:8001"
}

variable "admin_token" {
  type      = string
  sensitive = true
  default   = null
}

variable "weather" {
  type    = object({ host = string, port = number })
  default = { host = "weather", port = 8900 }
}

provider "kong-gateway" {
  server_url  = var.admin
  admin_token = var.admin_token
}

resource "kong-gateway_service" "weather" {
  name     = "internal-weather-service"
  protocol = "http"
  host     = var.weather.host
  port     = var.weather.port
}

resource "kong-gateway_route" "send_weather" {
  name      = "internal-weather-route-POST"
  protocols = ["http", "https"]
  methods   = ["POST"]
  paths     = ["/api/sendWeather"]
  service   = { id = kong-gateway_service.weather.id }
}

# Kong's own plugins have a resource each; this one is for all others.
resource "kong-gateway_custom_plugin" "diag405" {
  name  = "diag405"
  route = { id = kong-gateway_route.send_weather.id }
  config = {
    log_requests = "changed"
  }
}
