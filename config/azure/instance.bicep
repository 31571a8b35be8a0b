// One instance of rentfold that serves: exactly one replica, with a consumer group of its own.

param name string
param location string
param environmentId string
param identityId string
param image string
param registries array
@secure()
param readToken string
param readerRanges string[]
param cores int
param settings array

var port = 8080
// The last checkpoint and the parquet file are written after SIGTERM: the container gets a little longer than that may take.
var shutdownSeconds = 50

resource app 'Microsoft.App/containerApps@2025-01-01' = {
  name: name
  location: location
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    environmentId: environmentId
    workloadProfileName: 'Consumption'
    configuration: {
      // A new revision gets ready while the one before still serves: it stands by, and publishes once that one has gone.
      activeRevisionsMode: 'Single'
      registries: registries
      secrets: [{ name: 'read-token', value: readToken }]
      ingress: {
        external: !empty(readerRanges)
        targetPort: port
        transport: 'http'
        allowInsecure: false
        ipSecurityRestrictions: map(range(0, length(readerRanges)), index => {
          name: 'readers-${index}'
          action: 'Allow'
          ipAddressRange: readerRanges[index]
        })
      }
    }
    template: {
      terminationGracePeriodSeconds: shutdownSeconds + 10
      containers: [
        {
          name: 'rentfold'
          image: image
          args: ['serve']
          resources: { cpu: cores, memory: '${2 * cores}Gi' }
          env: concat(settings, [
            { name: 'RENTFOLD_HOST', value: '0.0.0.0' }
            { name: 'RENTFOLD_PORT', value: string(port) }
            { name: 'RENTFOLD_READ_TOKEN', secretRef: 'read-token' }
            { name: 'RENTFOLD_SHUTDOWN_SECONDS', value: string(shutdownSeconds) }
          ])
          probes: [
            { type: 'Startup', httpGet: { path: '/health/live', port: port }, periodSeconds: 6, timeoutSeconds: 5, failureThreshold: 10 }
            { type: 'Liveness', httpGet: { path: '/health/live', port: port }, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 }
            { type: 'Readiness', httpGet: { path: '/health/ready', port: port }, periodSeconds: 5, timeoutSeconds: 5, failureThreshold: 2 }
          ]
        }
      ]
      scale: { minReplicas: 1, maxReplicas: 1 }
    }
  }
}

output address string = 'https://${app.properties.configuration.ingress.fqdn}'
