// Reads the whole log into an empty store, when somebody starts it, and ends.

param name string
param location string
param environmentId string
param identityId string
param image string
param registries array
param cores int
param settings array

resource job 'Microsoft.App/jobs@2025-01-01' = {
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
      triggerType: 'Manual'
      manualTriggerConfig: { parallelism: 1, replicaCompletionCount: 1 }
      replicaTimeout: 86400
      // What ends it is for somebody to read. Started again it goes on where it was.
      replicaRetryLimit: 0
      registries: registries
    }
    template: {
      containers: [
        {
          name: 'rentfold'
          image: image
          args: ['replay']
          resources: { cpu: cores, memory: '${2 * cores}Gi' }
          env: settings
        }
      ]
    }
  }
}
