// rentfold on Azure Container Apps: reads Event Hubs, keeps its checkpoints and the parquet file in a storage account, answers reads.
//
//   az deployment group create --resource-group RESOURCE_GROUP --parameters config/azure/main.bicepparam
//
// README.md, "On Azure, from an empty resource group to figures", has the whole way. No key and no connection string is made, stored or put out here: rentfold
// proves who it is by a managed identity. The one secret is the token of its readers.

targetScope = 'resourceGroup'

@description('First part of every name: small letters and digits.')
@minLength(3)
@maxLength(10)
param name string = 'rentfold'

@description('Region of everything.')
param location string = resourceGroup().location

@description('The image, made from config/Dockerfile, with registry and tag.')
param image string

@description('Azure Container Registry of this resource group that holds the image; empty when the image needs no login.')
param registryName string = ''

@description('What readers show as `Authorization: Bearer …`.')
@secure()
@minLength(16)
param readToken string

@description('Address ranges (CIDR) that may read from outside the environment; none: only what runs inside it.')
param readerRanges string[] = []

@description('How many instances serve. 0: none yet, for a first replay. 2: one publishes, one stands by.')
@minValue(0)
@maxValue(2)
param instances int = 2

@description('Processor cores of an instance. Its memory is twice as many GiB: 1 core is enough for a million rows, 2 for ten million.')
@allowed([1, 2, 3, 4])
param cores int = 2

@description('Event hubs that rentfold reads.')
@minLength(1)
param hubNames string[] = ['rental.public.expenses', 'rental.public.rents', 'rental.public.properties']

@description('Event hubs that the connector writes and nobody reads.')
param otherHubNames string[] = ['heartbeat.rental', 'rental.message']

@description('Partitions of each hub. Standard cannot change them later.')
param partitions int = 4

@description('Standard keeps events for 7 days, Premium for 90.')
@allowed(['Standard', 'Premium'])
param eventHubsTier string = 'Standard'

@description('Throughput units (Standard) or processing units (Premium). A Standard unit hands out 2 MB or 4096 events a second, to all readers together.')
param eventHubsUnits int = 2

@description('Object ids of what sends events: the managed identity or service principal of the connector.')
param connectorPrincipalIds string[] = []

@description('Whether the namespace takes keys too, and has one that may only send: for connectors that know no identities.')
param connectorKey bool = false

@description('Schema group for Avro schemas; empty: none.')
param schemaGroup string = ''

@description('Storage account that is there already, for instance that of the service before; empty: one is made.')
param existingStorageAccount string = ''

@description('Its resource group.')
param storageResourceGroup string = resourceGroup().name

@description('Container for checkpoints and the parquet file.')
param containerName string = 'documents'

@description('Copies of what is stored, when the account is made here.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GZRS'])
param storageRedundancy string = 'Standard_ZRS'

@description('Whether storage and Event Hubs answer from the internet. Disabled needs private endpoints, which are not made here, and infrastructureSubnetId.')
@allowed(['Enabled', 'Disabled'])
param publicNetworkAccess string = 'Enabled'

@description('Subnet for the environment, delegated to Microsoft.App/environments; empty: a network of its own.')
param infrastructureSubnetId string = ''

@description('Zone in which today is today, by its IANA name.')
param timeZone string = 'UTC'

@description('Month in which the fiscal year begins.')
@minValue(1)
@maxValue(12)
param fiscalYearStartMonth int = 1

@description('More options of rentfold, by name; all values are text.')
param options object = {}

var suffix = uniqueString(resourceGroup().id)
var accountName = empty(existingStorageAccount) ? take('${name}${suffix}', 24) : existingStorageAccount
var namespaceName = '${name}-${suffix}'
// Each instance has a consumer group of its own, and so has a replay: none takes the place of another.
var instanceNames = ['${name}-a', '${name}-b']
var replayName = '${name}-replay'
var registries = empty(registryName) ? [] : [{ server: '${registryName}${environment().suffixes.acrLoginServer}', identity: identity.id }]

var shared = [
  { name: 'RENTFOLD_SOURCE', value: 'event-hubs' }
  { name: 'RENTFOLD_EVENT_HUBS_NAMESPACE', value: '${namespaceName}.servicebus.windows.net' }
  { name: 'RENTFOLD_EVENT_HUBS_NAMES', value: join(hubNames, ',') }
  { name: 'RENTFOLD_STORE', value: 'azure' }
  { name: 'AZURE_STORAGE_ACCOUNT_NAME', value: accountName }
  { name: 'CDC_CACHE_CONTAINER_NAME', value: containerName }
  { name: 'RENTFOLD_AZURE_IDENTITY', value: 'managed' }
  { name: 'AZURE_CLIENT_ID', value: identity.properties.clientId }
  { name: 'RENTFOLD_TIME_ZONE', value: timeZone }
  { name: 'RENTFOLD_FISCAL_YEAR_START_MONTH', value: string(fiscalYearStartMonth) }
  { name: 'RENTFOLD_LOG_FORMAT', value: 'json' }
]
// The registry of the namespace, which is asked with the same identity.
var schemas = empty(schemaGroup) ? [] : [{ name: 'RENTFOLD_SCHEMA_REGISTRY_NAMESPACE', value: '${namespaceName}.servicebus.windows.net' }]
var settings = concat(shared, schemas, map(items(options), option => { name: option.key, value: string(option.value) }))

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: name
  location: location
}

module storage 'storage.bicep' = if (empty(existingStorageAccount)) {
  name: '${name}-storage'
  params: {
    accountName: accountName
    containerName: containerName
    location: location
    redundancy: storageRedundancy
    publicNetworkAccess: publicNetworkAccess
  }
}

module storageRole 'storage-role.bicep' = {
  name: '${name}-storage-role'
  scope: resourceGroup(storageResourceGroup)
  params: {
    accountName: accountName
    containerName: containerName
    principalId: identity.properties.principalId
  }
  dependsOn: [storage]
}

module eventHubs 'event-hubs.bicep' = {
  name: '${name}-event-hubs'
  params: {
    namespaceName: namespaceName
    location: location
    tier: eventHubsTier
    units: eventHubsUnits
    hubNames: hubNames
    otherHubNames: otherHubNames
    partitions: partitions
    consumerGroups: concat(instanceNames, [replayName])
    receiverPrincipalId: identity.properties.principalId
    senderPrincipalIds: connectorPrincipalIds
    senderKey: connectorKey
    schemaGroup: schemaGroup
    publicNetworkAccess: publicNetworkAccess
  }
}

module imageRole 'image-role.bicep' = if (!empty(registryName)) {
  name: '${name}-image-role'
  params: {
    registryName: registryName
    principalId: identity.properties.principalId
  }
}

module place 'environment.bicep' = {
  name: '${name}-environment'
  params: {
    name: name
    location: location
    infrastructureSubnetId: infrastructureSubnetId
  }
}

module instance 'instance.bicep' = [for instanceName in take(instanceNames, instances): {
  name: instanceName
  params: {
    name: instanceName
    location: location
    environmentId: place.outputs.id
    identityId: identity.id
    image: image
    registries: registries
    readToken: readToken
    readerRanges: readerRanges
    cores: cores
    settings: concat(settings, [{ name: 'RENTFOLD_EVENT_HUBS_CONSUMER_GROUP', value: instanceName }])
  }
  dependsOn: [storageRole, eventHubs, imageRole]
}]

module replay 'replay.bicep' = {
  name: replayName
  params: {
    name: replayName
    location: location
    environmentId: place.outputs.id
    identityId: identity.id
    image: image
    registries: registries
    cores: cores
    settings: concat(settings, [{ name: 'RENTFOLD_EVENT_HUBS_CONSUMER_GROUP', value: replayName }])
  }
  dependsOn: [storageRole, eventHubs, imageRole]
}

@description('Where each instance is read.')
output addresses string[] = [for index in range(0, instances): instance[index].outputs.address]
@description('What a Kafka connector connects to.')
output bootstrapServers string = '${namespaceName}.servicebus.windows.net:9093'
output storageAccount string = accountName
@description('Object id of rentfold, for a role in a place that this file does not know.')
output principalId string = identity.properties.principalId
