// The log: a namespace, its hubs, a consumer group for each that reads, and who may send and receive. The same hubs are topics at the Kafka endpoint.

param namespaceName string
param location string
@allowed(['Standard', 'Premium'])
param tier string
param units int
param hubNames string[]
param otherHubNames string[]
param partitions int
param consumerGroups string[]
param receiverPrincipalId string
param senderPrincipalIds string[]
param senderKey bool
param schemaGroup string
@allowed(['Enabled', 'Disabled'])
param publicNetworkAccess string

var dataReceiver = 'a638d3c7-ab3a-418d-83e6-5f17a39d4fde'
var dataSender = '2b629674-e913-4c01-ae53-ef4638d8f975'
var schemaReader = '2c56ea50-c6b3-40a6-83c0-9d98858bc7d2'
var roles = 'Microsoft.Authorization/roleDefinitions'

var allHubNames = concat(hubNames, otherHubNames)

resource eventHubs 'Microsoft.EventHub/namespaces@2024-01-01' = {
  name: namespaceName
  location: location
  sku: { name: tier, tier: tier, capacity: units }
  properties: {
    disableLocalAuth: !senderKey
    kafkaEnabled: true
    minimumTlsVersion: '1.2'
    publicNetworkAccess: publicNetworkAccess
  }
}

// One after the other: a namespace refuses many at once.
@batchSize(1)
resource hubs 'Microsoft.EventHub/namespaces/eventhubs@2024-01-01' = [for hub in allHubNames: {
  parent: eventHubs
  name: hub
  properties: {
    partitionCount: partitions
    // As long as the tier allows. Never compaction: rentfold would take what it removes for lost records.
    retentionDescription: { cleanupPolicy: 'Delete', retentionTimeInHours: tier == 'Premium' ? 2160 : 168 }
  }
}]

@batchSize(1)
resource groups 'Microsoft.EventHub/namespaces/eventhubs/consumergroups@2024-01-01' = [for index in range(0, length(hubNames) * length(consumerGroups)): {
  parent: hubs[index / length(consumerGroups)]
  name: consumerGroups[index % length(consumerGroups)]
}]

resource receive 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (hub, index) in hubNames: {
  name: guid(namespaceName, hub, receiverPrincipalId, dataReceiver)
  scope: hubs[index]
  properties: {
    principalId: receiverPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(roles, dataReceiver)
  }
}]

resource send 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for index in range(0, length(allHubNames) * length(senderPrincipalIds)): {
  name: guid(namespaceName, allHubNames[index / length(senderPrincipalIds)], senderPrincipalIds[index % length(senderPrincipalIds)], dataSender)
  scope: hubs[index / length(senderPrincipalIds)]
  properties: {
    principalId: senderPrincipalIds[index % length(senderPrincipalIds)]
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(roles, dataSender)
  }
}]

// It may send to every hub of the namespace and do nothing else. Its key is not put out: `az eventhubs namespace authorization-rule keys list` shows it.
resource sendKey 'Microsoft.EventHub/namespaces/authorizationRules@2024-01-01' = if (senderKey) {
  parent: eventHubs
  name: 'connector'
  properties: { rights: ['Send'] }
}

resource schemas 'Microsoft.EventHub/namespaces/schemagroups@2024-01-01' = if (!empty(schemaGroup)) {
  parent: eventHubs
  name: empty(schemaGroup) ? 'none' : schemaGroup
  properties: { schemaType: 'Avro', schemaCompatibility: 'None' }
}

// For the whole namespace: schemas are asked for by their ids, which name no group.
resource readSchemas 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(schemaGroup)) {
  name: guid(namespaceName, receiverPrincipalId, schemaReader)
  scope: eventHubs
  properties: {
    principalId: receiverPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(roles, schemaReader)
  }
}
