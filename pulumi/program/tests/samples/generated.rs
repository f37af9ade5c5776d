//! Nested types, as Gestalt 0.0.12 generates them: a `Settings` with the optional fields `limit`,
//! `limits` and `note`, a `Limit` with the optional ones `labels` and `unit`. Their builders are left
//! out.

#![allow(warnings, clippy::all, clippy::panic)]

#[derive(Debug, PartialEq, Clone)]
#[allow(dead_code)]
#[allow(
    clippy::doc_lazy_continuation,
    clippy::tabs_in_doc_comments,
    clippy::should_implement_trait
)]
pub struct Limit {
    pub r#count: i32,
    pub r#labels: Option<std::collections::HashMap<String, String>>,
    pub r#unit: Option<String>,
}

impl pulumi_gestalt_rust::__private::pulumi_gestalt_model::ToPulumiValue for Limit {
    fn to_pulumi_value(
        &self,
    ) -> impl std::future::Future<
        Output = pulumi_gestalt_rust::__private::pulumi_gestalt_model::PulumiValue,
    > + Send {
        use pulumi_gestalt_rust::__private::futures::FutureExt;
        use pulumi_gestalt_rust::__private::pulumi_gestalt_model::__private::to_pulumi_object_concurrent;
        async move {
            use pulumi_gestalt_rust::__private::pulumi_gestalt_model::__private::{
                ToPulumiObjectFieldFuture, to_pulumi_object_field,
            };
            let field_futures: Vec<ToPulumiObjectFieldFuture<'_>> = vec![
                to_pulumi_object_field("count", &self.r#count),
                to_pulumi_object_field("labels", &self.r#labels),
                to_pulumi_object_field("unit", &self.r#unit),
            ];
            to_pulumi_object_concurrent(field_futures).await
        }
        .boxed()
    }
}

impl pulumi_gestalt_rust::__private::pulumi_gestalt_model::FromPulumiValue for Limit {
    fn from_pulumi_value(
        value: &pulumi_gestalt_rust::__private::pulumi_gestalt_model::PulumiValue,
    ) -> pulumi_gestalt_rust::__private::pulumi_gestalt_model::__private::rootcause::Result<Self>
    {
        use pulumi_gestalt_rust::__private::pulumi_gestalt_model::__private::rootcause::bail;
        use pulumi_gestalt_rust::__private::pulumi_gestalt_model::FromPulumiValue;
        use pulumi_gestalt_rust::__private::pulumi_gestalt_model::PulumiValue;
        use pulumi_gestalt_rust::__private::pulumi_gestalt_model::PulumiValueContent;

        match value.content {
            PulumiValueContent::Object(ref _obj) => {
                use std::collections::BTreeMap;
                let fields_map: BTreeMap<String, PulumiValue> = _obj.iter().cloned().collect();

                Ok(Self {
                    r#count: {
                        let field_value = match fields_map.get("count") {
                            Some(value) => value,
                            None => bail!(
                                "Missing field 'count' while converting PulumiValue to {}",
                                std::any::type_name::<Self>()
                            ),
                        };
                        FromPulumiValue::from_pulumi_value(field_value)?
                    },
                    r#labels: {
                        let field_value = match fields_map.get("labels") {
                            Some(value) => value,
                            None => bail!(
                                "Missing field 'labels' while converting PulumiValue to {}",
                                std::any::type_name::<Self>()
                            ),
                        };
                        FromPulumiValue::from_pulumi_value(field_value)?
                    },
                    r#unit: {
                        let field_value = match fields_map.get("unit") {
                            Some(value) => value,
                            None => bail!(
                                "Missing field 'unit' while converting PulumiValue to {}",
                                std::any::type_name::<Self>()
                            ),
                        };
                        FromPulumiValue::from_pulumi_value(field_value)?
                    },
                })
            }
            _ => bail!("Expected Object, got {:?}", value.content),
        }
    }
}

#[derive(Debug, PartialEq, Clone)]
#[allow(dead_code)]
#[allow(
    clippy::doc_lazy_continuation,
    clippy::tabs_in_doc_comments,
    clippy::should_implement_trait
)]
pub struct Settings {
    pub r#limit: Option<Box<Limit>>,
    pub r#limits: Option<Vec<Limit>>,
    pub r#note: Option<String>,
    pub r#user: String,
}

impl pulumi_gestalt_rust::__private::pulumi_gestalt_model::ToPulumiValue for Settings {
    fn to_pulumi_value(
        &self,
    ) -> impl std::future::Future<
        Output = pulumi_gestalt_rust::__private::pulumi_gestalt_model::PulumiValue,
    > + Send {
        use pulumi_gestalt_rust::__private::futures::FutureExt;
        use pulumi_gestalt_rust::__private::pulumi_gestalt_model::__private::to_pulumi_object_concurrent;
        async move {
            use pulumi_gestalt_rust::__private::pulumi_gestalt_model::__private::{
                ToPulumiObjectFieldFuture, to_pulumi_object_field,
            };
            let field_futures: Vec<ToPulumiObjectFieldFuture<'_>> = vec![
                to_pulumi_object_field("limit", &self.r#limit),
                to_pulumi_object_field("limits", &self.r#limits),
                to_pulumi_object_field("note", &self.r#note),
                to_pulumi_object_field("user", &self.r#user),
            ];
            to_pulumi_object_concurrent(field_futures).await
        }
        .boxed()
    }
}

impl pulumi_gestalt_rust::__private::pulumi_gestalt_model::FromPulumiValue for Settings {
    fn from_pulumi_value(
        value: &pulumi_gestalt_rust::__private::pulumi_gestalt_model::PulumiValue,
    ) -> pulumi_gestalt_rust::__private::pulumi_gestalt_model::__private::rootcause::Result<Self>
    {
        use pulumi_gestalt_rust::__private::pulumi_gestalt_model::__private::rootcause::bail;
        use pulumi_gestalt_rust::__private::pulumi_gestalt_model::FromPulumiValue;
        use pulumi_gestalt_rust::__private::pulumi_gestalt_model::PulumiValue;
        use pulumi_gestalt_rust::__private::pulumi_gestalt_model::PulumiValueContent;

        match value.content {
            PulumiValueContent::Object(ref _obj) => {
                use std::collections::BTreeMap;
                let fields_map: BTreeMap<String, PulumiValue> = _obj.iter().cloned().collect();

                Ok(Self {
                    r#limit: {
                        let field_value = match fields_map.get("limit") {
                            Some(value) => value,
                            None => bail!(
                                "Missing field 'limit' while converting PulumiValue to {}",
                                std::any::type_name::<Self>()
                            ),
                        };
                        FromPulumiValue::from_pulumi_value(field_value)?
                    },
                    r#limits: {
                        let field_value = match fields_map.get("limits") {
                            Some(value) => value,
                            None => bail!(
                                "Missing field 'limits' while converting PulumiValue to {}",
                                std::any::type_name::<Self>()
                            ),
                        };
                        FromPulumiValue::from_pulumi_value(field_value)?
                    },
                    r#note: {
                        let field_value = match fields_map.get("note") {
                            Some(value) => value,
                            None => bail!(
                                "Missing field 'note' while converting PulumiValue to {}",
                                std::any::type_name::<Self>()
                            ),
                        };
                        FromPulumiValue::from_pulumi_value(field_value)?
                    },
                    r#user: {
                        let field_value = match fields_map.get("user") {
                            Some(value) => value,
                            None => bail!(
                                "Missing field 'user' while converting PulumiValue to {}",
                                std::any::type_name::<Self>()
                            ),
                        };
                        FromPulumiValue::from_pulumi_value(field_value)?
                    },
                })
            }
            _ => bail!("Expected Object, got {:?}", value.content),
        }
    }
}
